"""At most one version per run, verified or reported, whatever breaks.

The four requests of a first run are hit by every fault, singly and in pairs, and
the replies are cut at every byte. After each run: at most one version was added;
exit 0 only if the newest version holds our bytes; else the log, the result file and
the exit code say so; and a clean second run sets it right.

An addVersion that got no answer is sent again only if it is certain that it did not
act. In a run that created the secret nothing makes that certain.
"""

import itertools
import json
import signal
import threading

import pytest
from conftest import PULL_SECRET, SECRET, Job, native, pull_secret_of, together, until

from emulator import errors

OURS = PULL_SECRET.encode()
REQUESTS = {"add-to-nothing": 1, "create": 2, "add": 3, "access": 4}
# One fault of each kind; {} is none.
FAULTS = {
    "lost-request-close": {"drop": "uncommitted"},
    "lost-request-fin": {"drop": "uncommitted", "how": "fin"},
    "lost-request-reset": {"drop": "uncommitted", "how": "rst"},
    "lost-reply-close": {"drop": "committed"},
    "lost-reply-fin": {"drop": "committed", "how": "fin"},
    "lost-reply-reset": {"drop": "committed", "how": "rst"},
    **{f"cut-{at}-{how}": {"drop": "cut", "cut_at": at, "how": how}
       for at in (1, 12, 17, 200, 400, -20, -1) for how in ("close_notify", "rst")},
    "garbage": {"garbage": 300},
    "garbage-committed": {"garbage": 300, "commit": True},
    "nothing-said": {"raw": b""},
    "no-http-committed": {"raw": b"SSH-2.0-x\r\n", "commit": True},
    "503": {"reply": errors.unavailable()},
    "503-committed": {"reply": errors.unavailable(), "commit": True},
    "500-committed": {"reply": errors.internal(), "commit": True},
    "504-committed": {"reply": errors.deadline_exceeded(), "commit": True},
    "html-502-committed": {"reply": errors.html_502(), "commit": True},
    "429": {"reply": errors.quota_exceeded()},
    "success-of-a-portal": {"reply": errors.captive_portal(), "commit": True},
}
# Those that do nothing, and that leave it open whether they did.
OPEN = ("lost-request-close", "lost-request-fin", "lost-request-reset", "garbage",
        "nothing-said", "503")
PAIRED = ("lost-request-fin", "lost-reply-close", "lost-reply-reset", "cut-200-rst",
          "garbage-committed", "503-committed", "html-502-committed", "429")


class Place:
    """One secret of an emulator that many runs share, with faults of its own."""

    numbers = itertools.count()
    lock = threading.Lock()

    def __init__(self, emulator, tmp_path, *before, job=None):
        """before: payloads that are there already; none: there is no secret."""
        self.emulator = emulator
        self.before = list(before)
        with self.lock:
            self.name = f"place-{next(self.numbers)}-"
        if before:
            emulator.secretmanager.put(self.name, *before)
        self.results = tmp_path / self.name
        self.job = job or Job(emulator)

    def matches(self, request):
        return self.name in request.target

    def order(self, nth, times=1, **fault):
        return self.emulator.order("secretmanager", self.matches, nth=nth, times=times,
                                   **fault)

    def run(self, **more):
        return self.job(SECRET_NAME=self.name, RESULTS_PATH=self.results, **more)

    def start(self, **more):
        return self.job.start(SECRET_NAME=self.name, RESULTS_PATH=self.results, **more)

    @property
    def requests(self):
        return [request for request in self.emulator.requests("secretmanager")
                if self.matches(request)]

    def left_open(self, struck):
        """Whether an addVersion that followed our own create was struck by one of OPEN;
        struck: names of faults by number of the request."""
        sent = [request.operation for request in self.requests]
        after = sent.index("create") if "create" in sent else len(sent)
        return any(sent[nth - 1:nth] == ["addVersion"] and nth > after and name in OPEN
                   for nth, name in struck.items())

    @property
    def payloads(self):
        return self.emulator.secretmanager.payloads(self.name)

    def check(self, result, failed=1):
        """What must hold after the first run.

        failed: its exit code if it is not 0.
        """
        value = json.loads(self.results.read_text())
        summary = result.log[-1]
        assert summary["operation"] == "summary"
        assert self.payloads in (self.before, self.before + [OURS]), result.out
        if result.code == 0:
            assert self.payloads == self.before + [OURS]
            assert value["status"] == "success"
            assert summary["message"].endswith("1 succeeded, 0 failed")
            assert result.errors == []
            return
        assert result.code == failed, result.out
        assert value["status"] == "failure"
        assert summary["message"].endswith("0 succeeded, 1 failed")
        assert "completed" not in result.operations
        assert len(result.errors) == 1
        if self.payloads != self.before:
            said = result.error["message"]
            assert "it is unknown whether" in said or "was already written" in said

    def check_again(self):
        """A clean run after it leaves our bytes as the newest version."""
        before = self.payloads
        assert self.run().code == 0
        assert self.payloads == before + [OURS]


def some_or_all(*sample):
    """Names of faults: the sample, or for `make soak` all of FAULTS."""
    return pytest.mark.parametrize("names", [sample, pytest.param(FAULTS, marks=pytest.mark.soak)],
                                   ids=["sample", "all"])


def single_faults(requests, names):
    """Rows of one fault: ((nth, name),) by request and name."""
    return {f"{request}-{name}": ((nth, name),) for request, nth in requests.items()
            for name in names}


def fault_pairs(requests):
    """Rows of two faults, the second up to one request later than there are."""
    return {f"{nth}-{one}-{later}-{two}": ((nth, one), (later, two))
            for nth in requests.values()
            for later in range(nth + 1, max(requests.values()) + 2)
            for one in PAIRED for two in PAIRED}


@pytest.fixture
def places(emulator, tmp_path):
    yield lambda *before: Place(emulator, tmp_path, *before)


def test_one_fault(places):
    def check(nth, name):
        place = places()
        order = place.order(nth, **FAULTS[name])
        result = place.run()
        assert order.hits == 1
        place.check(result)
        if place.left_open({nth: name}):
            assert result.code == 1 and open_whether(result), result.out
        else:
            assert result.code == 0, result.out
            assert len(result.warnings) == 1
        place.check_again()

    together(check, {f"{request}-{name}": (nth, name)
                     for request, nth in REQUESTS.items() for name in FAULTS})


def test_one_fault_where_the_secret_exists(places):
    """It is certain that the version does not exist: it is sent again."""
    def check(nth, name):
        place = places(b"old")
        order = place.order(nth, **FAULTS[name])
        result = place.run()
        assert order.hits == 1
        assert result.code == 0, result.out
        assert len(result.warnings) == 1
        place.check(result)

    together(check, {f"{nth}-{name}": (nth, name) for nth in (1, 2) for name in FAULTS})


@native
def test_two_faults_in_a_row(places, sample):
    def check(nth, first, second):
        place = places()
        orders = (place.order(nth, **FAULTS[first]),
                  place.order(nth + 1, **FAULTS[second]))
        result = place.run()
        assert [order.hits for order in orders] == [1, 1]
        place.check(result)
        if place.left_open({nth: first, nth + 1: second}):
            assert result.code == 1 and open_whether(result), result.out
        else:
            assert result.code == 0, result.out
        place.check_again()

    rows = {f"{request}-{one}-{two}": (nth, one, two) for request, nth in REQUESTS.items()
            for one, two in itertools.product(PAIRED, PAIRED)}
    together(check, sample(rows, 3))


def open_whether(result):
    """Whether the run could not find out if there is a version of its own."""
    return any("it is unknown whether" in line["message"] for line in result.errors)


# After a lost reply of the third request: back-off, look-ups (4, 5), the version by
# its number (6); after a lost request: look-up (4), the add again (5), access (6).
LATER = (4, 5, 6)
SIGNED_OUT = {"401": {"reply": errors.token_expired()},
              "403": {"reply": errors.permission_denied()}}


@native
def test_faults_in_different_requests(places, sample):
    """What is found out after the first fault is struck by the second."""
    def check(nth, first, later, second):
        place = places()
        orders = (place.order(nth, **FAULTS[first]),
                  place.order(later, **{**FAULTS, **SIGNED_OUT}[second]))
        result = place.run()
        assert orders[0].hits == 1
        # The failure that left it open whether there is a version comes first.
        failed = any("looking for it" in line["message"] for line in result.errors)
        place.check(result, failed=1 if failed else 4)
        if result.code and second == "403":
            assert "HTTP 403 PERMISSION_DENIED" in result.error["message"]
            assert "roles/secretmanager." in result.error["hint"]
        elif result.code:
            assert place.left_open({nth: first, later: second}), result.out
        if first in OPEN and nth != 2 and result.code:
            assert open_whether(result), result.out
        if orders[1].hits:
            place.check_again()

    first = [(nth, name) for nth in (1, 2, 3) for name in PAIRED]
    rows = {f"{nth}-{one}-{later}-{two}": (nth, one, later, two)
            for nth, one in first for two in (*PAIRED[::2], *SIGNED_OUT)
            for later in (LATER if nth == 3 else range(nth + 1, 5))}
    together(check, sample(rows, 5))


def test_faults_without_end(places):
    def check(nth, fault):
        place = places()
        place.order(nth, times=None, **fault)
        result = place.run(MAX_WAIT_TIME_SECONDS=4)
        place.check(result)
        assert result.code == 1, result.out

    together(check, {f"{request}-{name}": (nth, FAULTS[name])
                     for request, nth in REQUESTS.items() for name in PAIRED})


def test_silence(places):
    """The connection stays open and nothing comes: the deadline ends the run."""
    def check(nth, drop):
        place = places()
        order = place.order(nth, drop=drop, how="hang")
        result = place.run(MAX_WAIT_TIME_SECONDS=2)
        assert order.hits == 1
        place.check(result)
        assert result.code == 1
        assert result.error["error_code"] == "DEADLINE_EXCEEDED"
        place.check_again()

    together(check, {f"{request}-{drop}": (nth, drop)
                     for request, nth in REQUESTS.items()
                     for drop in ("uncommitted", "committed")})


@native
def test_every_byte_of_every_reply(places, sample):
    """Cut after each byte of addVersion's, which says what was stored; of the others
    after some."""
    def check(nth, at):
        place = places()
        place.order(nth, drop="cut", cut_at=at)
        result = place.run()
        place.check(result)
        assert result.code == 0, result.out

    steps = {"add-to-nothing": 5, "create": 5, "add": 1, "access": 3}
    rows = {f"{request}-{at}": (REQUESTS[request], at)
            for request, step in steps.items() for at in range(0, 640, step)}
    rows = sample(rows, 3)
    names = list(rows)
    for start in range(0, len(names), 160):
        together(check, {name: rows[name] for name in names[start:start + 160]})


def test_killed(places):
    """Nothing can be reported then, but the next run sets it right."""
    def check(nth, drop):
        place = places()
        order = place.order(nth, drop=drop, how="hang")
        process = place.start()
        until(lambda: order.hits == 1)
        process.popen.send_signal(signal.SIGKILL)
        assert process.wait().code == -signal.SIGKILL
        assert place.payloads in ([], [OURS])
        assert not place.results.exists()
        place.check_again()

    together(check, {f"{request}-{drop}": (nth, drop)
                     for request, nth in REQUESTS.items()
                     for drop in ("uncommitted", "committed")})


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_a_request_that_is_not_read(start_emulator, how):
    """The server goes away while the largest request is still being sent. In a new secret
    only a request that lacks its end may be sent again: what left whole stays unknown.
    """
    def check(nth, before, certain):
        text = pull_secret_of(65536)
        emulator = start_emulator()
        if before:
            emulator.secretmanager.put(SECRET, *before)
        emulator.order("secretmanager", nth=nth, drop="unread", how=how)
        result = Job(emulator)(PULL_SECRET_DATA=text)
        assert result.code == 0 or (not certain and result.code == 1), result.out
        assert open_whether(result) == (result.code == 1)
        stored = [text.encode()] if result.code == 0 else []
        assert emulator.secretmanager.payloads(SECRET) == before + stored

    rows = {request: (nth, [], request != "add") for request, nth in REQUESTS.items()}
    together(check, {**rows, "add-to-others": (1, [b"old"], True)})
