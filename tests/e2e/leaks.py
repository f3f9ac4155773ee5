"""Finds secrets, or parts of them, in what a program wrote or left in its memory."""

import base64
import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

RUN = 8  # bytes of a secret in a row that count as a leak
_JSON = re.compile(rb"\\(?:u([0-9A-Fa-f]{4})|(.))", re.S)
_HEX = re.compile(rb"[0-9A-Fa-f]{%d,}" % (2 * RUN))
_EMPTY = re.compile(rb"\0{%d,}" % RUN)  # most of a memory
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def leaked(words, said):
    """Which of these secrets show a part of 8 bytes: raw, in base64 of any alphabet at
    any alignment, in hexadecimal digits, percent-encoded, or with JSON's escapes.
    """
    words = [word.encode() if isinstance(word, str) else word for word in words]
    views = _views(said)
    pairs = set().union(*map(_windows, views))
    octets = set().union(*(_windows(run) for view in views for run in _unhex(view)))
    return [word for word in words if not _parts(word).isdisjoint(pairs)
            or not _windows(word).isdisjoint(octets)]


def _windows(text):
    return {text[at:at + RUN] for at in range(len(text) - RUN + 1)}


@lru_cache(maxsize=1024)
def _parts(word):
    """What shows 8 bytes of it: they fill two groups of base64, wherever they start."""
    assert len(word) >= RUN, "too short to be told from other text"
    parts = _windows(word)
    for start in range(3):
        whole = word[start:start + (len(word) - start) // 3 * 3]
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(whole)
            parts.update(text[at:at + RUN] for at in range(0, len(text) - RUN + 1, 4))
    return frozenset(parts)


def _views(said):
    """The text as it is, and without the escapes of URLs and of JSON, once and twice."""
    said = _EMPTY.sub(bytes(RUN), said)
    views = [said]
    if b"%" in said:
        views.append(unquote_to_bytes(said))
    if b"\\" in said:
        views.append(_JSON.sub(_unescape, said))
        views.append(_JSON.sub(_unescape, views[-1]))
    return views


def _unescape(match):
    code, char = match.groups()
    if code:
        return chr(int(code, 16)).encode(errors="replace")
    return _CONTROLS.get(char, char)


def _unhex(text):
    """What runs of hexadecimal digits stand for, from the first or the second digit."""
    for run in _HEX.findall(text):
        for start in range(2):
            digits = run[start:]
            yield bytes.fromhex(digits[:len(digits) // 2 * 2].decode())
