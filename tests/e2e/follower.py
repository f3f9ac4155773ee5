"""Stops a process at every system call, to change its arguments or its result.

Only for x86-64, as the tracer. The process must have been started with
preexec_fn=trace_me, and whoever started it must do the rest, in the same thread.
"""

import collections
import ctypes
import os
import signal
import struct

from tracer import DETACH, EVENT_EXIT, SETOPTIONS, SETREGS, TRACEEXIT, Tracee

SYSCALL, TRACESYSGOOD = 24, 0x01
AT_CALL = signal.SIGTRAP | 0x80
AUXV_IGNORE, AUXV_VDSO = 1, 33
READ, WRITE, SENDTO, RECVFROM, CLOCK_GETTIME = 0, 1, 44, 45, 228


class SyscallTracer(Tracee):
    """A process that is stopped before and after each system call, up to its end."""

    def __init__(self, pid):
        self.pid = pid
        self._stopped_by(signal.SIGTRAP)
        self._ptrace(SETOPTIONS, data=TRACESYSGOOD | TRACEEXIT)

    def entered(self, registers):
        """Called before a call; True if the registers were changed."""
        return False

    def left(self, registers):
        """Called after a call; True if the registers were changed."""
        return False

    def run_to_exit(self):
        """Let it run. Where it is about to be gone, it is left alone."""
        inside, passed = False, 0
        while True:
            self._ptrace(SYSCALL, data=passed)
            passed = 0
            _, status = os.waitpid(self.pid, 0)
            assert os.WIFSTOPPED(status), status
            if status >> 8 == EVENT_EXIT:
                break
            if os.WSTOPSIG(status) != AT_CALL:
                passed = os.WSTOPSIG(status)
                continue
            inside = not inside
            registers = self.registers()
            if (self.entered if inside else self.left)(registers):
                self._ptrace(SETREGS, data=ctypes.addressof(registers))
        self._ptrace(DETACH)

    def put(self, address, data):
        """Write into its memory."""
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(address)
            assert memory.write(data) == len(data)


class Clock(SyscallTracer):
    """What a process takes for the wall clock.

    moments(n) is the time at its reading number n, in seconds since 1970.
    """

    def __init__(self, pid, moments):
        super().__init__(pid)
        self.moments = moments
        self.readings = 0
        self._asks_the_kernel()

    def left(self, registers):
        # CLOCK_REALTIME is 0.
        if registers.orig_rax == CLOCK_GETTIME and registers.rdi == 0:
            now = struct.pack("<qq", self.moments(self.readings), 999999999)
            self.put(registers.rsi, now)
            self.readings += 1
        return False

    def _asks_the_kernel(self):
        """Hide the vDSO, in which the time can be read without a system call."""
        with open(f"/proc/{self.pid}/auxv", "rb") as file:
            pairs = list(struct.iter_unpack("<QQ", file.read()))
        at = self._start_of_auxv()
        for number, (kind, value) in enumerate(pairs):
            if kind == AUXV_VDSO:
                self.put(at + 16 * number, struct.pack("<QQ", AUXV_IGNORE, value))
                return
        raise AssertionError("there is no vDSO")

    def _start_of_auxv(self):
        """It stands behind the arguments and the environment, each with a NULL."""
        at = self.registers().rsp
        at += 8 + 8 * (self._number(at) + 1)
        while self._number(at):
            at += 8
        return at + 8

    def _number(self, address):
        return struct.unpack("<Q", self._word(address))[0]


class ShortTransfers(SyscallTracer):
    """Reads and writes are cut to a size: all of them, or one as (number of the
    system call, how many of these went before), because how many reads it takes
    differs from run to run."""

    def __init__(self, pid, size, only=None):
        super().__init__(pid)
        self.size = size
        self.only = only
        self.calls = collections.Counter()
        self._asked = None

    def entered(self, registers):
        self._asked = None
        call = registers.orig_rax
        if call not in (READ, WRITE, SENDTO, RECVFROM):
            return False
        self.calls[call] += 1
        if self.only not in (None, (call, self.calls[call] - 1)):
            return False
        if registers.rdx <= self.size:
            return False
        self._asked = registers.rdx
        registers.rdx = self.size
        return True

    def left(self, registers):
        if self._asked is None:
            return False
        registers.rdx = self._asked  # a call leaves it as it was
        return True
