"""The applet that prints the payload of a version: these bytes, or none."""

import base64
import fcntl
import os
import random
import re
import signal
import threading

import pytest
from conftest import CLUSTER, PULL_SECRET, SECRET, Applet, native, together, until

from emulator import errors
from emulator.crc32c import crc32c
from emulator.wire import Reply

PAYLOAD = b"5xQz newest-bytes 7Pq"
OLD = b"2kWv older-bytes 9Lm"
F_SETPIPE_SZ = 1031


class Access(Applet):
    """Prints a payload if it succeeds, else no part of one."""

    name = "access"

    def may_print(self, result):
        return result.code == 0


@pytest.fixture
def access(emulator):
    """Run the applet: access("NAME", "--secret-version", 2, GCP_PROJECT_ID=None)."""
    runner = Access(emulator)
    yield runner
    runner.stop()


@pytest.fixture
def secret(emulator):
    """A secret with two versions, that the variables of the main job name."""
    return emulator.secretmanager.put(SECRET, OLD, PAYLOAD)


def printed(result, data=PAYLOAD):
    """These bytes, and nothing else."""
    assert (result.code, result.err) == (0, "")
    assert result.stdout == data


def refused(result, code, *parts):
    """One line on standard error, nothing on standard output."""
    assert result.code == code, result
    assert result.stdout == b""
    assert result.err.startswith("pull-secret: access: ")
    assert result.err.count("\n") == 1 and result.err.endswith("\n")
    for part in parts:
        assert part in result.err


def targets(emulator):
    return [(entry.method, entry.target) for entry in emulator.requests("secretmanager")]


# --- names and versions ----------------------------------------------------------

# Words, variables, and the number of the version that is asked for.
NAMES = {
    "id": ([SECRET], {}, "latest"),
    "id-and-flag": ([SECRET, "--gcp-project-id", "{project}"], {"GCP_PROJECT_ID": None}, "latest"),
    "flag-wins": ([SECRET, "--gcp-project-id={project}"], {"GCP_PROJECT_ID": "not-this"},
                  "latest"),
    "id-and-version": ([SECRET, "--secret-version", "1"], {}, "1"),
    "version-first": (["--secret-version=1", SECRET], {}, "1"),
    "id-and-latest": ([SECRET, "--secret-version", "latest"], {}, "latest"),
    "secret": (["projects/{project}/secrets/" + SECRET], {}, "latest"),
    "secret-alone": (["projects/{project}/secrets/" + SECRET], {"GCP_PROJECT_ID": None}, "latest"),
    "secret-wins": (["projects/{project}/secrets/" + SECRET], {"GCP_PROJECT_ID": "not-this"},
                    "latest"),
    "secret-and-version": (["projects/{project}/secrets/" + SECRET, "--secret-version", "2"], {},
                           "2"),
    "version": (["projects/{project}/secrets/" + SECRET + "/versions/1"], {"GCP_PROJECT_ID": None},
                "1"),
    "latest-version": (["projects/{project}/secrets/" + SECRET + "/versions/latest"], {},
                       "latest"),
    "cluster": ([], {"CLUSTER_ID": CLUSTER}, "latest"),
    "cluster-flag": (["--cluster-id", CLUSTER, "--secret-version", "1"], {}, "1"),
    "secret-name": ([], {"CLUSTER_ID": "c2", "SECRET_NAME": SECRET}, "latest"),
    "secret-name-flag": (["--secret-name", SECRET], {"CLUSTER_ID": "c2"}, "latest"),
    "name-wins": ([SECRET], {"CLUSTER_ID": "c2", "SECRET_NAME": "not-this"}, "latest"),
}


@pytest.mark.parametrize("name", NAMES)
def test_each_form_of_a_name(emulator, access, secret, name):
    words, variables, version = NAMES[name]
    words = [word.format(project=emulator.project) for word in words]
    printed(access(*words, **variables), OLD if version == "1" else PAYLOAD)
    assert targets(emulator) == [
        ("GET", f"/v1/projects/{emulator.project}/secrets/{SECRET}/versions/{version}:access")]
    assert len(emulator.connections("secretmanager")) == 1
    assert len(emulator.requests("metadata")) == 1


def test_the_name_that_the_log_has(emulator, start_job, access):
    """It names the project by its number."""
    result = start_job(emulator)()
    name = result.line("verify-secret")["version"]
    assert emulator.project_number in name
    runner = Access(emulator)
    runner._secrets = list  # what is printed here is a secret indeed
    done = runner(name, GCP_PROJECT_ID=None)
    printed(done, PULL_SECRET.encode())


def test_the_newest_is_the_default(emulator, access, secret):
    printed(access(SECRET))
    secret.add(b"newest of all")
    printed(access(SECRET), b"newest of all")


BAD_NAMES = [
    "", "/", "a/b", "a b", "a.b", "a%2Fb", "a?b", "a#b", "a:access", "\u00e9", "x" * 256, "..",
    "a\n", "projects/", "projects/p", "projects/p/secrets", "projects/p/secrets/",
    "projects//secrets/s", "projects/p/secrets/s/", "projects/p/secrets/s/versions",
    "projects/p/secrets/s/versions/", "projects/p/secrets/s/versions/0",
    "projects/p/secrets/s/versions/x", "projects/p/secrets/s/versions/-1",
    "projects/p/secrets/s/versions/1/", "projects/p/secrets/s/versions/1:access",
    "projects/p/secrets/s/versions/1/x", "projects/p/secrets/a b", "projects/p/secrets/a?b",
    "projects/../secrets/s", "projects/p?q/secrets/s", "projects/p%2F/secrets/s",
    "projects/p/secrets/" + "x" * 256, "/projects/p/secrets/s", "projects/p/locations/l-/secrets/s",
    "Projects/p/secrets/s", "projects/p/Secrets/s", "secrets/s", "p/s", "versions/1",
    "//secretmanager.googleapis.com/projects/p/secrets/s", "https://x.example/",
    "projects/p/secrets/s/versions/99999999999999999999999", "x" * 5000,
]


def test_bad_names(start_emulator):
    emulator = start_emulator()
    for name in BAD_NAMES:
        refused(Access(emulator)(name), 2)
        assert emulator.connections() == [], name


@pytest.mark.parametrize("version", ["0", "00", "-1", "+1", "1.0", " 1", "1 ", "x", "LATEST",
                                     "latest ", "1/x", "1:access", "99999999999999999999999"])
def test_bad_versions(emulator, access, secret, version):
    refused(access(SECRET, "--secret-version", version), 2, f"version {version}: must be a number from 1, or latest")
    assert emulator.connections() == []


@pytest.mark.parametrize("in_name", ["1", "2", "latest"])
def test_a_version_given_twice(emulator, access, secret, in_name):
    """Even if it is the same."""
    name = f"projects/{emulator.project}/secrets/{SECRET}/versions/{in_name}"
    refused(access(name, "--secret-version", in_name), 2, "--secret-version")
    assert emulator.connections() == []


# Words, variables, and what the error names.
USAGE = {
    "two-names": ([SECRET, SECRET], {}, ""), "unknown": ([SECRET, "--unknown"], {}, "--unknown"),
    "job-flag": ([SECRET, "--dry-run"], {}, "--dry-run"),
    "json": ([SECRET, "--json"], {}, "--json"),
    "no-value": ([SECRET, "--secret-version"], {}, "--secret-version"),
    "no-project": ([SECRET], {"GCP_PROJECT_ID": None}, "GCP_PROJECT_ID"),
    "empty-project": ([SECRET], {"GCP_PROJECT_ID": ""}, "GCP_PROJECT_ID"),
    "bad-project": ([SECRET], {"GCP_PROJECT_ID": "a/b"}, "GCP_PROJECT_ID"),
    "no-name": ([], {}, "CLUSTER_ID"), "no-name-at-all": ([], {"GCP_PROJECT_ID": None}, ""),
    "bad-cluster": ([], {"CLUSTER_ID": "WRONG"}, "CLUSTER_ID"),
    "bad-secret-name": ([], {"CLUSTER_ID": CLUSTER, "SECRET_NAME": "a/b"}, "SECRET_NAME"),
    "timeout": ([SECRET, "--timeout", "x"], {}, "--timeout=x must be"),
    "endpoint": ([SECRET], {"SECRET_MANAGER_ENDPOINT": "x"}, "SECRET_MANAGER_ENDPOINT"),
    "ca-file": ([SECRET], {"SSL_CERT_FILE": "/missing"}, "/missing"),
}


@pytest.mark.parametrize("name", USAGE)
def test_usage(emulator, access, secret, name):
    words, variables, part = USAGE[name]
    result = access(*words, **variables)
    assert (result.code, result.stdout) == (2, b"")
    assert result.err.startswith("pull-secret: access")
    assert result.err.count("\n") == 1
    assert part in result.err
    assert emulator.connections() == []


@pytest.mark.parametrize("name", ["SECRET_VERSION", "VERSION"])
def test_the_version_has_no_variable(access, secret, name):
    printed(access(SECRET, **{name: "1"}))


def test_help(access):
    result = access("--help")
    assert result.code == 0
    assert result.out.startswith("usage: pull-secret access [NAME]")
    for name in ("--secret-version", "GCP_PROJECT_ID", "CLUSTER_ID", "SECRET_NAME",
                 "GOOGLE_APPLICATION_CREDENTIALS"):
        assert name in result.out
    for name in ("SECRET_VERSION", "--dry-run", "--results-path", "PULL_SECRET_DATA"):
        assert name not in result.out
    assert not re.search(r" $", result.out, re.M)


# --- every byte ------------------------------------------------------------------

CONTENTS = {
    "one": b"x", "nul": b"\0", "newline": b"\n", "newlines": b"\r\n\n", "space": b" x ",
    "every-byte": bytes(range(256)), "every-byte-back": bytes(range(255, -1, -1)) + b"\n",
    "utf-8": "\ufeff\u65e5\u672c\U0001f600".encode(), "not-utf-8": b"\xff\xfe\x80\xc0\xaf",
    "escapes": b'\\u0000\\"\x1b[2J\x7f', "two": b"xy", "three": b"xyz",
    "one-record": b"r" * 16384, "all-but-one": b"\xfb" * 65535, "most": b"\xff" * 65536,
    "most-random": random.Random(7).randbytes(65536),
}


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_the_very_bytes(start_emulator, framing):
    emulator = start_emulator(framing=framing)

    def check(name, data):
        emulator.secretmanager.put(name, data)
        printed(Access(emulator)(name), data)

    together(check, {name: (name, data) for name, data in CONTENTS.items()})


@pytest.mark.parametrize("name", ["url-safe", "crc-number", "no-crc"])
def test_other_writings_of_the_same(emulator, access, name):
    data = bytes(range(256))
    emulator.secretmanager.put(SECRET, data)
    emulator.order("secretmanager", "access", tamper=name)
    printed(access(SECRET), data)


def test_a_reader_that_is_slow(emulator, access):
    """Its pipe holds a part of the payload only."""
    data = random.Random(8).randbytes(65536)
    emulator.secretmanager.put(SECRET, data)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    process = access.start(SECRET, stdout=writer)
    os.close(writer)
    until(lambda: emulator.requests(operation="access"))
    seen = b""
    while part := os.read(reader, 1000):
        seen += part
    os.close(reader)
    result = process.wait()
    assert (result.code, result.err) == (0, "")
    assert seen == data


# --- what fails ------------------------------------------------------------------

CORRUPT = {
    "flip": "flip", "truncate": "truncate", "wrong-crc": "wrong-crc",
    "no-payload": "no-payload", "no-data": "no-data",
    "swapped": lambda value: with_payload(value, b"other bytes, long enough", crc32c(PAYLOAD)),
    "not-base64": lambda value: with_payload(value, None, crc32c(PAYLOAD)),
    "negative-crc": lambda value: with_payload(value, PAYLOAD, -1),
}


def with_payload(value, data, checksum):
    encoded = base64.b64encode(data).decode() if data is not None else "?*&^"
    return {**value, "payload": {"data": encoded, "dataCrc32c": str(checksum)}}


def test_a_payload_that_does_not_fit_its_checksum(start_emulator):
    def check(tampering):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, PAYLOAD)
        emulator.order("secretmanager", "access", times=None, tamper=tampering)
        refused(Access(emulator)(SECRET, "--timeout", "3"), 5)

    together(check, {name: (tampering,) for name, tampering in CORRUPT.items()})


def test_a_version_that_was_not_asked_for(emulator, access, secret):
    """A reply for another number is not printed."""
    emulator.order("secretmanager", "access", times=None, tamper="other-version")
    result = access(SECRET, "--secret-version", "1", "--timeout", "3")
    assert result.code in (1, 5)
    refused(result, result.code)


@pytest.mark.parametrize("state", ["disable", "destroy"])
@pytest.mark.parametrize("version", ["2", "latest"])
def test_a_version_that_is_switched_off(emulator, access, secret, state, version):
    """It is not stepped back to an older one."""
    secret.versions[1].state = state.upper() + ("D" if state == "disable" else "ED")
    refused(access(SECRET, "--secret-version", version), 2, secret.versions[1].state)
    printed(access(SECRET, "--secret-version", "1"), OLD)


def test_no_such_version(access, secret):
    refused(access(SECRET, "--secret-version", "3"), 2, "NOT_FOUND")


def test_no_such_secret(emulator, access):
    refused(access(SECRET), 2, "NOT_FOUND")
    assert len(emulator.requests("secretmanager")) == 1


def test_a_secret_without_versions(emulator, access):
    emulator.secretmanager.put(SECRET)
    refused(access(SECRET), 2, "NOT_FOUND")


@pytest.mark.parametrize("text", ["new", "old"])
def test_a_missing_permission_is_named(emulator, access, secret, text):
    emulator.secretmanager.denial_text = text
    emulator.iam.deny("versions.access")
    refused(access(SECRET), 4, "secretmanager.versions.access", "secretmanager.secretAccessor")


def test_one_permission_is_enough(emulator, access, secret):
    emulator.iam.grant_only("versions.access")
    printed(access(SECRET))
    printed(access(SECRET, "--secret-version", "1"), OLD)


# Replies without end: exit codes, and a part of the error.
REPLIES = {
    "html-404": (errors.html_404(), 1, "front end or a proxy"),
    "service-disabled": (errors.service_disabled(), 4, "gcloud services enable"),
    "token": (errors.token_expired(), 4, "UNAUTHENTICATED"),
    "outage": (errors.unavailable(), 1, "UNAVAILABLE"),
    "quota": (errors.quota_exceeded(), 1, "RESOURCE_EXHAUSTED"),
    "portal": (errors.captive_portal(), 1, ""),
    "empty": (Reply(200, b"", errors.API_HEADERS), (1, 5), ""),
    "empty-object": (Reply(200, b"{}", errors.API_HEADERS), (1, 5), ""),
    "broken": (Reply(200, b'{"payload": {"data": "cGF5bG9hZA=="', errors.API_HEADERS), 1, ""),
    "redirect": (errors.redirect(), 1, "redirect"),
    "too-large": (Reply(200, b'{"payload": {"data": "' + b"QUFB" * 300_000 + b'"}}',
                        errors.API_HEADERS), (1, 5), ""),
}


def test_replies_that_are_no_payload(start_emulator):
    def check(reply, code, part):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, PAYLOAD)
        emulator.order("secretmanager", "access", times=None, reply=reply)
        result = Access(emulator)(SECRET, "--timeout", "3")
        assert result.code in (code if isinstance(code, tuple) else (code,)), result
        refused(result, result.code, part)

    together(check, REPLIES)


RETRIED = {
    "503": {"reply": errors.unavailable()}, "429": {"reply": errors.quota_exceeded()},
    "lost-request": {"drop": "uncommitted"}, "lost-reply": {"drop": "committed", "how": "rst"},
    "cut": {"drop": "cut", "cut_at": -10}, "garbage": {"garbage": 300},
}


def test_a_retry_is_silent(start_emulator):
    def check(fault):
        emulator = start_emulator()
        emulator.secretmanager.put(SECRET, PAYLOAD)
        emulator.order("secretmanager", "access", **fault)
        printed(Access(emulator)(SECRET))
        assert len(emulator.requests(operation="access")) == 2

    together(check, {name: (fault,) for name, fault in RETRIED.items()})


def test_a_server_that_is_not_there(emulator, access):
    emulator.refuse("secretmanager")
    refused(access(SECRET, "--timeout", "2"), 1)


def test_out_of_time(emulator, access, secret):
    emulator.order("secretmanager", "access", times=None, drop="committed", how="hang")
    refused(access(SECRET, MAX_WAIT_TIME_SECONDS="1"), 1)


def test_no_credentials(access, secret):
    refused(access(SECRET, "--no-metadata"), 4, "gcloud auth application-default login")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("service, operation", [("metadata", None), ("secretmanager", "access")])
def test_a_signal(emulator, access, secret, number, service, operation):
    emulator.order(service, operation, drop="uncommitted", how="hang")
    process = access.start(SECRET)
    until(lambda: emulator.requests(service, operation=operation))
    process.popen.send_signal(number)
    refused(process.wait(), 128 + number, number.name)


# --- a reader that left ----------------------------------------------------------


def told_on_stderr(result):
    assert result.code == 1
    assert "standard output" in result.err
    assert result.err.count("\n") == 1


@pytest.mark.parametrize("how", ["closed", "full", "broken-pipe", "read-only"])
def test_lost_output(access, secret, how):
    if how == "closed":
        told_on_stderr(access(SECRET, preexec_fn=lambda: os.close(1)))
        return
    reader, writer = os.pipe()
    target = {"full": lambda: os.open("/dev/full", os.O_WRONLY), "broken-pipe": lambda: writer,
              "read-only": lambda: os.open("/dev/null", os.O_RDONLY)}[how]()
    os.close(reader)
    told_on_stderr(access(SECRET, stdout=target))
    os.close(target)


def test_a_reader_that_leaves_in_the_middle(emulator, access):
    """A part is no success."""
    emulator.secretmanager.put(SECRET, random.Random(9).randbytes(65536))
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
    process = access.start(SECRET, stdout=writer)
    os.close(writer)
    assert len(os.read(reader, 100)) == 100
    os.close(reader)
    told_on_stderr(process.wait())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_signal_while_nobody_reads(emulator, access, secret, full_pipe, number):
    process = access.start(SECRET, stdout=full_pipe)
    until(lambda: emulator.requests(operation="access")
          and emulator.requests(operation="access")[0].status == 200)
    until(lambda: sleeping(process))
    process.popen.send_signal(number)
    assert process.wait().code in (1, 128 + number)


def sleeping(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "S"


def test_closed_standard_input_and_error(access, secret):
    printed(access(SECRET, preexec_fn=lambda: [os.close(0), os.close(2)]))


@native
def test_many_at_once(emulator):
    """Each prints its own."""
    barrier = threading.Barrier(8)

    def check(name):
        data = random.Random(name).randbytes(5000)
        emulator.secretmanager.put(name, data)
        barrier.wait()
        printed(Access(emulator)(name), data)

    together(check, {f"s{number}": (f"s{number}",) for number in range(8)})
