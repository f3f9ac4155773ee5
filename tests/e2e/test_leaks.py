"""No secret and no token is left anywhere: not in what is written, which every test
looks through, and not in the memory of the process at its very last system call.
"""

import base64
import ctypes
import os
import signal

import pytest
from conftest import CANARY, PULL_SECRET, auth, leaked, native
from tracer import CONT, Tracee, libc, trace_me

from emulator import errors

SETOPTIONS, TRACEEXIT = 0x4200, 0x40
EVENT_EXIT = signal.SIGTRAP | 6 << 8
pytestmark = [native, pytest.mark.skipif(os.uname().machine != "x86_64",
                                         reason="the tracer knows x86-64")]


class Ending(Tracee):
    """A process that is stopped when it is about to be gone."""

    def __init__(self, pid):
        self.pid = pid
        self._stopped_by(signal.SIGTRAP)
        assert libc.ptrace(SETOPTIONS, pid, None, TRACEEXIT) == 0

    def at_exit(self):
        """Its memory then."""
        passed = 0
        while True:
            libc.ptrace(CONT, self.pid, None, ctypes.c_void_p(passed))
            _, status = os.waitpid(self.pid, 0)
            assert os.WIFSTOPPED(status), status
            if status >> 8 == EVENT_EXIT:
                break
            passed = os.WSTOPSIG(status)
        memory = self.memory()
        self.let_go()
        return memory


def refuse(service, operation, reply):
    def order(emulator):
        emulator.order(service, operation, times=None, reply=reply)
    return order


# What is ordered of the emulator, variables, and the exit code.
ENDS = {
    "success": (None, {}, 0),
    "largest": (None, {"PULL_SECRET_DATA": None}, 0),
    "dry-run": (None, {"DRY_RUN": "true"}, 0),
    "usage": (None, {"CLUSTER_ID": "WRONG"}, 2),
    "invalid": (None, {"PULL_SECRET_DATA": PULL_SECRET[:-1]}, 3),
    "twice-given": (None, {"PULL_SECRET_FILE": "/x"}, 2),
    "no-token": (refuse("metadata", None, errors.metadata_impersonation_denied()), {}, 4),
    "refused": (refuse("secretmanager", "addVersion", errors.permission_denied()), {}, 4),
    "outage": (refuse("secretmanager", "addVersion", errors.html_503()),
               {"MAX_WAIT_TIME_SECONDS": "1"}, 1),
    "read-back": (lambda emulator: emulator.order("secretmanager", "access", times=None,
                                                  tamper="flip"), {}, 5),
    "lost": (lambda emulator: emulator.order("secretmanager", "addVersion",
                                             drop="committed"), {}, 0),
    "deadline": (lambda emulator: emulator.order("secretmanager", "access", how="hang",
                                                 drop="committed"),
                 {"MAX_WAIT_TIME_SECONDS": "1"}, 1),
    "garbage": (lambda emulator: emulator.order("secretmanager", "access", times=None,
                                                garbage=4000),
                {"MAX_WAIT_TIME_SECONDS": "1"}, 1),
}


def look_through(emulator, memory):
    """Nothing of the pull secret is there, nor of any token that was given out."""
    assert b"GCP_PROJECT_ID" in memory  # it is the right memory
    words = [CANARY, auth(), base64.b64encode(PULL_SECRET.encode())]
    words += [token.value for token in emulator.tokens.all()]
    for word in words:
        assert not leaked(word, memory, step=8), f"{word!r} is left in memory"


@pytest.mark.parametrize("name", ENDS)
def test_nothing_is_left_in_memory(emulator, job, tmp_path, name):
    order, variables, code = ENDS[name]
    if order:
        order(emulator)
    if name == "largest":
        path = tmp_path / "secret"
        path.write_text(PULL_SECRET + " " * 4096)
        variables = {**variables, "PULL_SECRET_FILE": path}
    process = job.start(preexec_fn=trace_me, RESULTS_PATH=tmp_path / "result", **variables)
    memory = Ending(process.pid).at_exit()
    assert process.wait().code == code
    look_through(emulator, memory)


def test_nothing_is_left_after_a_signal(emulator, job, tmp_path):
    """Sent while the secret is on its way and the token in use."""
    def stop(request):
        os.kill(process.pid, signal.SIGTERM)
        return True

    emulator.order("secretmanager", stop, drop="committed", how="hang")
    process = job.start(preexec_fn=trace_me, RESULTS_PATH=tmp_path / "result")
    memory = Ending(process.pid).at_exit()
    assert process.wait().code == 143
    look_through(emulator, memory)
