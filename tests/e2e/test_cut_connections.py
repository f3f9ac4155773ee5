"""At most one version per run, verified or reported, wherever a connection breaks.

A relay that knows nothing of TLS breaks connections after any number of bytes, sent
or received; and requests and replies come late.
"""

import itertools

import pytest
from conftest import native, together, until
from relay import RECEIVED, SENT, Cut, Relay
from test_exactly_once import OURS, REQUESTS, Place, open_whether

# Whole runs send and receive some bytes more or fewer: signatures differ in length.
SPARE = 16


class Reached(Place):
    """A place whose runs go through a relay."""

    def through(self, relay, **more):
        service = self.emulator.secretmanager
        with self.lock:
            service.hosts = (*service.hosts, f"localhost:{relay.port}")
        return self.start(SECRET_MANAGER_ENDPOINT=f"https://localhost:{relay.port}", **more)

    def relay(self, *cuts):
        return Relay(int(self.emulator.secretmanager_url.rsplit(":", 1)[1]), *cuts)

    def run_through(self, *cuts, **more):
        with self.relay(*cuts) as relay:
            return self.through(relay, **more).wait(), relay.passed


@pytest.fixture
def places(emulator, tmp_path):
    yield lambda *before: Reached(emulator, tmp_path, *before)


# What is there before a run: no secret, or one with a version.
BEFORE = {"created": (), "existing": (b"old",)}
before = pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)


def whole(places, *there):
    """The bytes of a run that nothing breaks, by way."""
    result, passed = places(*there).run_through()
    assert result.code == 0
    return passed


def check_cut(place, *cuts):
    result, _ = place.run_through(*cuts)
    place.check(result)
    if result.code:
        # What was not stored after our own create might still come.
        assert "create" in [request.operation for request in place.requests]
        assert place.payloads == [] and open_whether(result), result.out
    place.check_again()


def in_turn(function, rows, size=80):
    names = list(rows)
    for start in range(0, len(names), size):
        together(function, {name: rows[name] for name in names[start:start + size]})


@native
@before
@pytest.mark.parametrize("way", [SENT, RECEIVED])
def test_one_cut(places, way, before, sample):
    """In the handshake, in a record, in a request or a reply, and between them."""
    size = whole(places, *before)[way]
    rows = {f"{at}-{how}": (at, how) for how in ("fin", "rst")
            for at in range(0, size + SPARE)}
    rows = sample(rows, 67)
    in_turn(lambda at, how: check_cut(places(*before), Cut(way, at, how)), rows)
    print(f"{len(rows)} cuts of {size} bytes")


@native
@before
def test_two_cuts(places, before, sample):
    """The second connection breaks, too."""
    size = whole(places, *before)
    points = [Cut(way, at) for way in (SENT, RECEIVED)
              for at in range(100, size[way] + SPARE, 700)]
    rows = {f"{one}-{two}": (one, two) for one, two in itertools.product(points, points)}
    rows = sample(rows, 4)
    in_turn(lambda one, two: check_cut(places(*before), one, two), rows)
    print(f"{len(rows)} pairs")


LATE = {"late-request": {"delay_before": 1.2}, "late-reply": {"delay_after": 1.2},
        "slow-reply": {"drip": 0.003}}


def test_late_but_in_time(places):
    """Waiting is no reason to send anything again."""
    def check(nth, late):
        place = places()
        order = place.order(nth, **late)
        result = place.run()
        assert order.hits == 1
        assert result.code == 0 and result.warnings == [], result.out
        assert len(place.requests) == len(REQUESTS)
        place.check(result)

    together(check, {f"{request}-{name}": (nth, late)
                     for request, nth in REQUESTS.items() for name, late in LATE.items()})


def test_late_for_the_run(places):
    """The server goes on after the run has given up; the next run finds it so."""
    def check(nth, late):
        place = places()
        order = place.order(nth, **{late: 2.5})
        result = place.run(MAX_WAIT_TIME_SECONDS=2)
        assert order.hits == 1
        assert result.code == 1
        assert result.error["error_code"] == "DEADLINE_EXCEEDED"
        if nth == REQUESTS["add"]:
            until(lambda: place.payloads == [OURS])
        place.check(result)
        place.check_again()

    together(check, {f"{request}-{late}": (nth, late) for request, nth in REQUESTS.items()
                     for late in ("delay_before", "delay_after")})


@pytest.mark.parametrize("seconds", [0.2, 0.5])
def test_committed_after_the_connection_broke(places, seconds):
    """The look-up comes after the wait, not before: what is late is found by it."""
    place = places()
    order = place.order(REQUESTS["add"], delay_before=seconds)
    with place.relay() as relay:
        process = place.through(relay)
        until(lambda: order.hits == 1)
        relay.reset()
        result = process.wait()
    assert result.code == 0 and len(result.warnings) == 1
    place.check(result)


@native
def test_silence_in_the_middle(places):
    """Nothing passes any more, but the connection stays: the deadline ends the run."""
    def check(way, at):
        place = places()
        result, _ = place.run_through(Cut(way, at, "hang"), MAX_WAIT_TIME_SECONDS=3)
        place.check(result)
        assert result.code == 1
        assert result.error["error_code"] == "DEADLINE_EXCEEDED"
        place.check_again()

    size = whole(places)
    together(check, {f"{way}-{at}": (way, at) for way in (SENT, RECEIVED)
                     for at in range(0, size[way] - SPARE, 97)})
