"""The paths beside the plain main job under cut connections, failing system calls and
signals: an unchanged secret, versions that are not kept, and a rollback. After each run: at
most one version, nothing destroyed before ours is verified, no false success; and a clean
run afterwards brings about what was wanted, and nothing twice.
"""

import collections
import json
import re
import shutil
import signal

import pytest
from conftest import native
from relay import RECEIVED, SENT, Cut
from test_cut_connections import SPARE, Reached, in_turn
from test_exactly_once import OURS
from test_keep import DAY, Keeping, at, states
from test_rollback import BEFORE, GOOD, Rollback
from test_skip_unchanged import Skipping
from test_syscalls import BEYOND, DELETE_ERRORS, ERRORS, batches, run_with

pytestmark = native
strace = pytest.mark.skipif(shutil.which("strace") is None, reason="no strace")


class Path(Reached):
    """A place with what a path needs there."""

    job_of = Skipping
    stored = [OURS]
    wanted = [OURS]
    reason = "PullSecretUnchanged"

    def __init__(self, emulator, tmp_path):
        super().__init__(emulator, tmp_path, *self.stored, job=self.job_of(emulator))
        self.secret = emulator.secretmanager.secret(self.name)
        for version in self.secret.versions:
            version.create_time = at(DAY)

    def is_possible(self):
        return self.payloads in (self.stored, self.wanted)

    def check_path(self, result):
        assert self.is_possible(), (self.payloads, result.out)
        value = json.loads(self.results.read_text()) if self.results.exists() else {}
        if result.code == 0:
            assert value["status"] == "success" and value["reason"] == self.reason
            assert result.errors == []
            assert self.is_done(result), (self.payloads, result.out)
        else:
            assert value.get("status", "failure") == "failure"
            assert result.code < 0 or result.errors or result.err, result.out
        if self.payloads != self.stored and result.code > 0 and value:
            assert re.search("unknown whether|already written", value["message"]), value

    def is_done(self, result):
        return self.payloads == self.wanted

    def check_next(self, twice=False):
        """A clean run. twice: a request of an interrupted one may have been under way still."""
        result = self.run(SKIP_UNCHANGED="true")
        assert result.code == 0, result.out
        late = [*self.wanted, self.wanted[-1]] if twice else None
        assert self.payloads in (self.wanted, late), result.out


class Kept(Path):
    """An old version is destroyed, once ours is verified."""

    job_of = Keeping
    stored = [b"old"]
    wanted = [b"", OURS]
    reason = "PullSecretStored"

    def is_possible(self):
        return states(self.secret) in ("E", "EE", "DE") and (
            self.payloads[1:] in ([], [OURS]))

    def is_done(self, result):
        """What fails after ours is verified is a warning."""
        return states(self.secret) == "DE" or (
            states(self.secret) == "EE" and result.warnings != [])


class RolledBack(Path):
    """The bytes of an older version become the newest."""

    job_of = Rollback
    stored = BEFORE
    wanted = [*BEFORE, GOOD]
    reason = "PullSecretStored"


PATHS = {"unchanged": Path, "keep": Kept, "rollback": RolledBack}


@pytest.fixture(params=PATHS.values(), ids=PATHS)
def place(request, emulator, tmp_path):
    """Make places of one path."""
    return lambda: request.param(emulator, tmp_path)


# --- cut connections ------------------------------------------------------------------


@pytest.mark.parametrize("way, step", [(SENT, 37), (RECEIVED, 29)])
def test_one_cut(place, way, step, sample):
    result, passed = place().run_through()
    assert result.code == 0

    def check(position, how):
        here = place()
        result, _ = here.run_through(Cut(way, position, how))
        here.check_path(result)
        assert result.code == 0, result.out
        here.check_next()

    rows = {f"{position}-{how}": (position, how) for how in ("fin", "rst")
            for position in range(0, passed[way] + SPARE, step)}
    in_turn(check, sample(rows, 151))


# --- system calls ---------------------------------------------------------------------


@strace
def test_every_call_fails_or_is_interrupted(place, tmp_path, sample):
    """Each error of each call, SIGTERM, SIGINT and SIGKILL in it."""
    first = place()
    assert first.run(before=["strace", "-o", tmp_path / "trace"]).code == 0
    first.check_next()
    seen, rows, outcomes = collections.Counter(), {}, collections.Counter()
    for name in re.findall(r"^(\w+)\(", (tmp_path / "trace").read_text(), re.M):
        seen[name] += 1
        if name in BEYOND:
            continue
        usual = DELETE_ERRORS.get(name, "EINVAL")
        errors = [usual, *(error for error in ERRORS.get(name, ERRORS[""]).split()
                           if error != usual)]
        for fault in (f"error={error}" for error in errors):
            rows[f"{name}-{seen[name]}-{fault}"] = (f"{name}:{fault}:when={seen[name]}", 0)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            rows[f"{name}-{seen[name]}-{number.name}"] = (
                f"{name}:signal={number.name}:when={seen[name]}", number)
    assert len(rows) > 500

    def fail(tampering, number):
        here = place()
        result, _ = run_with(here, tmp_path, tampering)
        codes = (0, 1, 2, 6) if not number else (0, 128 + number, -number)
        assert result.code in codes, (result.code, result.out, result.err)
        if number != signal.SIGKILL:
            here.check_path(result)
        assert here.is_possible()
        outcomes[result.code] += 1
        here.check_next(twice=number == signal.SIGKILL
                        or "it is unknown whether a version was written" in result.out)

    batches(sample(rows, 61), fail)
    print(f"{sum(outcomes.values())} faults of {len(rows)}: {dict(outcomes)}")
    assert outcomes[0] >= 3 and len(outcomes) >= 2
