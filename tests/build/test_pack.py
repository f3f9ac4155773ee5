"""scripts/pack: what it packs comes back, in place; and what it refuses."""

import random
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from conftest import TOP, run


def load():
    """The script as a module."""
    loader = SourceFileLoader("pack", str(TOP / "scripts/pack"))
    module = module_from_spec(spec_from_loader("pack", loader))
    loader.exec_module(module)
    return module


pack = load().pack


def unpack(packed, excess, size):
    """As src/sys/start.c does, in one piece of memory."""
    start = max(0, excess)
    memory = bytearray(start + size)
    memory[:len(packed)] = packed
    at, to = len(packed), start + size

    def take():
        nonlocal at
        at -= 1
        return memory[at]

    def put(byte):
        nonlocal to
        to -= 1
        assert to >= at, "a byte is overwritten before it is read"
        memory[to] = byte

    def more(count, limit):
        if count == limit:
            while (byte := take()) == 255:
                count += byte
            count += byte
        return count

    while True:
        first = take()
        for _ in range(more(first & 3, 3)):
            put(take())
        if to == start:
            assert at == 0
            return bytes(memory[start:])
        distance = first >> 6
        distance = (take() if distance == 3 else distance) << 8 | take()
        for _ in range(more(first >> 2 & 15, 15) + 2):
            put(memory[to + distance])


NOISE = random.Random(1).randbytes(66_000)


@pytest.mark.parametrize("data", [
    b"", b"a", b"abc", bytes(1500), b"ab" * 300, b"a" * 271 + b"b" + b"a" * 273, NOISE[:700],
    NOISE[:257] + NOISE[:258], NOISE[:513] + bytes(9) + NOISE[:513],  # counts of one byte, two
    NOISE[:768] + NOISE[:5] + NOISE[400:1000],                        # near and far
    NOISE[:40] + NOISE + NOISE[:40],                                  # too far
    NOISE[:900] + bytes(1000), bytes(1000) + NOISE[:900],
    (TOP / "README.md").read_bytes()[:20_000],
], ids=len)
def test_packed_bytes_come_back(data):
    packed, excess = pack(data)
    assert unpack(packed, excess, len(data)) == data


def test_text_takes_half():
    text = (TOP / "README.md").read_bytes()[:20_000]
    assert len(pack(text)[0]) < len(text) * 0.55


def test_another_file_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(bytes(100))
    done = run(["scripts/pack", tmp_path / "file"], TOP)
    assert done.returncode != 0
    assert done.stdout == "pack: not a 64-bit little-endian ELF file\n"
