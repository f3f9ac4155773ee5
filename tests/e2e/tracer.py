"""Makes system calls in another process, to learn which ones its kernel lets it make.

Only for x86-64: it knows the registers. The process must have been started with
preexec_fn=trace_me, and whoever started it must do the rest, in the same thread.
"""

import ctypes
import os
import signal
import struct
import time
from pathlib import Path

TRACEME, PEEKTEXT, POKETEXT, POKEDATA, CONT = 0, 1, 4, 5, 7
SINGLESTEP, GETREGS, SETREGS, DETACH = 9, 12, 13, 17
SETOPTIONS, TRACEEXIT = 0x4200, 0x40
PAGE = 4096
PRESENT_OR_SWAPPED = 3 << 62  # bits of /proc/PID/pagemap
EVENT_EXIT = signal.SIGTRAP | 6 << 8

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

ERESTARTNOHAND = 514  # ppoll was interrupted: left alone it is called again
RED_ZONE = 128  # bytes below the stack pointer that are in use


class Registers(ctypes.Structure):
    """struct user_regs_struct of <sys/user.h>."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs"
        " eflags rsp ss fs_base gs_base ds es fs gs").split()]


def trace_me():
    """In the child: whoever started it traces it."""
    if libc.ptrace(TRACEME, 0, None, None) != 0:
        raise OSError(ctypes.get_errno(), "ptrace")


class Tracee:
    """A process that waits in ppoll, stopped there."""

    def __init__(self, pid):
        """Let it start."""
        self.pid = pid
        self._stopped_by(signal.SIGTRAP)
        self._ptrace(CONT)

    def stop(self):
        """Stop it where it waits; it may have to get there first."""
        while True:
            os.kill(self.pid, signal.SIGSTOP)
            self._stopped_by(signal.SIGSTOP)
            self._waiting = self.registers()
            if ctypes.c_int64(self._waiting.rax).value == -ERESTARTNOHAND:
                return
            self._ptrace(CONT)
            time.sleep(0.01)

    def call(self, number, *arguments):
        """Make it do a system call: what came back, or None if it may not."""
        self.prepare(number, *arguments)
        if self._step() == signal.SIGSYS:
            self._step()  # the end of the first one
            return None
        return ctypes.c_int64(self.registers().rax).value

    def killed_by(self):
        """Let it do one step that kills it: the signal."""
        self._ptrace(SINGLESTEP)
        _, status = os.waitpid(self.pid, 0)
        assert os.WIFSIGNALED(status), status
        return os.WTERMSIG(status)

    def prepare(self, number, *arguments):
        """What it does next is that system call."""
        names = dict(zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments))
        self.change(rip=self._waiting.rip - 2, rax=number, **names)

    def change(self, **registers):
        """Change registers since it was stopped; it is in no system call any more."""
        now = Registers.from_buffer_copy(self._waiting)
        now.orig_rax = ctypes.c_uint64(-1).value
        for name, value in registers.items():
            setattr(now, name, ctypes.c_uint64(value).value)
        self._ptrace(SETREGS, data=ctypes.addressof(now))

    def text(self, text):
        """Put a text into its memory; its address."""
        data = os.fsencode(text) + b"\0"
        data += bytes(-len(data) % 8)
        address = (self._waiting.rsp - RED_ZONE - len(data)) & ~7
        for at in range(0, len(data), 8):
            self._ptrace(POKEDATA, address + at, struct.unpack_from("<Q", data, at)[0])
        return address

    def patch(self, code):
        """Overwrite its system call instruction."""
        address = self._waiting.rip - 2
        word = code + self._word(address)[len(code):]
        self._ptrace(POKETEXT, address, struct.unpack("<Q", word)[0])

    def crash(self, number):
        """Let it crash, up to the moment when it is about to die."""
        self._ptrace(CONT)
        self._stopped_by(number)
        self._ptrace(CONT, data=number)
        self._stopped_by(number)  # the handler sent it again

    def resume(self):
        """Leave it alone, as if nothing had been."""
        self._ptrace(SETREGS, data=ctypes.addressof(self._waiting))
        self.let_go()

    def let_go(self, number=0):
        """Leave it alone, as it is now, with a signal that came."""
        self._ptrace(DETACH, data=number)

    def registers(self):
        now = Registers()
        self._ptrace(GETREGS, data=ctypes.addressof(now))
        return now

    def memory(self):
        """All pages that it may write to, but for those that it never touched."""
        with open(f"/proc/{self.pid}/maps", encoding="utf-8") as maps:
            rows = [line.split() for line in maps]
        pages = []
        with (open(f"/proc/{self.pid}/mem", "rb") as mem,
              open(f"/proc/{self.pid}/pagemap", "rb") as pagemap):
            for row in rows:
                start, end = (int(word, 16) // PAGE for word in row[0].split("-"))
                pagemap.seek(start * 8)
                entries = struct.iter_unpack("<Q", pagemap.read((end - start) * 8))
                for page, (entry,) in enumerate(entries, start):
                    if row[1].startswith("rw") and entry & PRESENT_OR_SWAPPED:
                        mem.seek(page * PAGE)
                        pages.append(mem.read(PAGE))
        return b"".join(pages)

    def _step(self):
        self._ptrace(SINGLESTEP)
        return self._stopped_by(signal.SIGTRAP, signal.SIGSYS)

    def _word(self, address):
        return struct.pack("<q", self._ptrace(PEEKTEXT, address))

    def _stopped_by(self, *signals):
        _, status = os.waitpid(self.pid, 0)
        assert os.WIFSTOPPED(status), status
        assert os.WSTOPSIG(status) in signals, status
        return os.WSTOPSIG(status)

    def _ptrace(self, request, address=0, data=0):
        ctypes.set_errno(0)
        result = libc.ptrace(request, self.pid, address, data)
        assert ctypes.get_errno() == 0, os.strerror(ctypes.get_errno())
        return result


class StoppedAtExit(Tracee):
    """A process that is stopped when it is about to be gone."""

    def __init__(self, pid):
        self.pid = pid
        self._stopped_by(signal.SIGTRAP)
        self._ptrace(SETOPTIONS, data=TRACEEXIT)

    def at_exit(self):
        """Its memory then; its environ and cmdline stay here."""
        passed = 0
        while True:
            self._ptrace(CONT, data=passed)
            _, status = os.waitpid(self.pid, 0)
            assert os.WIFSTOPPED(status), status
            if status >> 8 == EVENT_EXIT:
                break
            passed = os.WSTOPSIG(status)
        memory = self.memory()
        self.environ = Path(f"/proc/{self.pid}/environ").read_bytes()
        self.cmdline = Path(f"/proc/{self.pid}/cmdline").read_bytes()
        self.let_go()
        return memory
