"""The clock stands where a machine's clock can stand, or jumps in the middle of a run."""

import json
import os
import time

import chains
import pytest
from conftest import PULL_SECRET, SECRET, Job, native, together
from follower import Clock
from test_credential_types import Files
from tracer import trace_me

from emulator.certificates import Certificates

pytestmark = [native, pytest.mark.skipif(os.uname().machine != "x86_64",
                                         reason="the tracer knows x86-64")]

# As GNU date prints them.
MOMENTS = {
    "1970-01-01T00:00:00Z": 0,
    "1970-01-01T00:00:01Z": 1,
    "2001-09-09T01:46:40Z": 1000000000,
    "2037-12-31T23:59:59Z": 2145916799,
    "2038-01-19T03:14:07Z": 0x7fffffff,
    "2038-01-19T03:14:08Z": 0x80000000,
    "2050-01-01T00:00:00Z": 2524608000,
    "2106-02-07T06:28:15Z": 0xffffffff,
    "2106-02-07T06:28:16Z": 0x100000000,
    "2199-12-31T23:59:59Z": 7258118399,
}
CREDENTIALS = ("service_account", "external_account", "impersonated")


FOR_EVER = (0, 253402300799)  # to the end of 9999, which X.509 cannot leave
TODAY = (chains.NOW - chains.DAY, chains.NOW + chains.DAY)


def certificates(folder, validity):
    """A chain under a root of all times, valid from a time to a time, in seconds
    since 1970."""
    def days(limits):
        return {"days": tuple((limit - chains.NOW) / chains.DAY for limit in limits)}

    folder.mkdir()
    sent, roots, key = chains.chain(
        leaf={**days(validity), "san": chains.dns("localhost", "oauth2.googleapis.com",
                                            "sts.googleapis.com",
                                            "iamcredentials.googleapis.com")},
        middle=days(validity), root=days(FOR_EVER)).write(folder)
    return Certificates(*map(str, (roots, sent, key, sent, key)))


@pytest.fixture
def ageless(tmp_path, start_emulator):
    """Make an emulator with a clock and certificates for any time."""
    files = certificates(tmp_path / "ageless", FOR_EVER)
    return lambda now: start_emulator(files=files, clock=lambda: now)


def run_at(job, moments, results, **variables):
    """Run the job at a time, or at times by the number of the reading."""
    if not callable(moments):
        fixed = moments
        moments = lambda reading: fixed  # noqa: E731
    process = job.start(preexec_fn=trace_me, RESULTS_PATH=results, **variables)
    clock = Clock(process.pid, moments)
    clock.run_to_exit()
    result = process.wait()
    assert clock.readings > 2
    return result


def test_at_any_time(ageless, tmp_path):
    """With credentials that speak of the time, too: JWTs, and expiry times as text."""
    def check(text, now):
        for kind in ("metadata", *CREDENTIALS):
            emulator, folder = ageless(now), tmp_path / f"{now}-{kind}"
            files = Files(emulator, folder)
            adc = getattr(files, kind)() if kind != "metadata" else None
            result = run_at(Job(emulator), now, folder / "result",
                            GOOGLE_APPLICATION_CREDENTIALS=adc)
            assert result.code == 0, (kind, result.out)
            assert {line["timestamp"] for line in result.log} == {text}
            assert json.loads((folder / "result").read_text())["status"] == "success"
            assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]

    together(check, {text: (text, now) for text, now in MOMENTS.items()})


# The clock, and what is said of a server's certificate of today.
WRONG = {"unset": (0, "is not valid before"), "behind": (1500000000, "is not valid before"),
         "after-2038": (0x80000000, "expired at"), "after-2106": (0x100000000, "expired at"),
         "year-9999": (253402300799, "expired at")}
OUT_OF_RANGE = {"year-10000": (253402300800, None), "last": ((1 << 63) - 1, None)}


def refused(emulator, result, results, code, *told):
    assert result.code == code, result.out
    for part in told:
        assert part in result.error["message"], result.error["message"]
    assert "if the local clock is right" in result.error["hint"]
    assert emulator.requests("secretmanager") == []
    assert json.loads(results.read_text())["status"] == "failure"


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_clock_is_named(start_emulator, tmp_path, name):
    now, told = WRONG[name]
    emulator = start_emulator(files=certificates(tmp_path / "of-today", TODAY))
    result = run_at(Job(emulator), now, tmp_path / "result")
    stamp = result.error["timestamp"]
    refused(emulator, result, tmp_path / "result", 1, told, f"the local time is {stamp}")


@pytest.mark.parametrize("name", [*WRONG, *OUT_OF_RANGE])
def test_roots_that_a_wrong_clock_rules_out(emulator, job, tmp_path, name):
    now, _ = (WRONG | OUT_OF_RANGE)[name]
    result = run_at(job, now, tmp_path / "result")
    stamp = result.error["timestamp"]
    refused(emulator, result, tmp_path / "result", 2, "SSL_CERT_FILE",
            f"1 not valid at the local time, {stamp}")


JUMPS = {"to-2106": 0x100000000, "to-1970": 0}


@pytest.mark.parametrize("name", JUMPS)
def test_a_clock_that_jumps(ageless, tmp_path, name):
    """Before any of its readings; no limit of time hangs on it."""
    now = int(time.time())

    def check(jump):
        emulator = ageless(now)
        result = run_at(Job(emulator), lambda reading: now if reading < jump else JUMPS[name],
                        tmp_path / f"result-{jump}")
        assert result.code == 0, result.out
        assert emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]

    together(check, {f"reading-{jump}": (jump,) for jump in range(16)})
