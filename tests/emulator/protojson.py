"""JSON read as protobuf messages, as strictly as Google's transcoder does.

A schema is a dictionary of camelCase field names. A value is the name of a scalar
type, a nested dictionary, [x] for a repeated field or {"*": x} for a map.
"""

import base64
import binascii
import json
import re
from functools import lru_cache

_TYPES = {
    "string": "TYPE_STRING", "bool": "TYPE_BOOL", "int64": "TYPE_INT64",
    "bytes": "TYPE_BYTES", "enum": "TYPE_ENUM",
    "timestamp": "type.googleapis.com/google.protobuf.Timestamp",
    "duration": "type.googleapis.com/google.protobuf.Duration",
}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?"
                        r"(Z|[+-]\d\d:\d\d)")
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")


class Malformed(Exception):
    """The text is not JSON; snippet is the place, as Google echoes it."""

    def __init__(self, snippet):
        super().__init__("malformed JSON")
        self.snippet = snippet


class Unfit(Exception):
    """The JSON does not fit the message; field is the place."""

    def __init__(self, message, field):
        super().__init__(message)
        self.message = message
        self.field = field


def loads(body):
    """Parse JSON, refusing duplicate keys, NaN and invalid UTF-8."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("") from None
    try:
        value = json.loads(text, object_pairs_hook=_no_duplicates,
                           parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise Malformed(text[max(0, error.pos - 10):error.pos + 10]) from None
    except (ValueError, RecursionError):
        raise Malformed(text[:20]) from None
    return value


def message(value, schema, path=""):
    """Check an object against a schema; returns it with camelCase names."""
    if not isinstance(value, dict):
        raise Unfit(f"Invalid value at '{path}' (message), {_show(value)}", path)
    known = {}
    for name in schema:
        known[name] = known[snake(name)] = name
    result = {}
    for given, item in value.items():
        name = known.get(given)
        if name is None:
            place = f" at '{path}'" if path else ""
            raise Unfit(f'Invalid JSON payload received. Unknown name "{given}"{place}:'
                        " Cannot find field.", path)
        if name in result:
            raise Unfit(f"Invalid value at '{_join(path, name)}', already set.", path)
        if item is not None:
            result[name] = _value(item, schema[name], _join(path, name))
    return result


@lru_cache(maxsize=1024)
def snake(name):
    """dataCrc32c becomes data_crc32c."""
    return re.sub(r"[A-Z]", lambda match: "_" + match[0].lower(), name)


@lru_cache(maxsize=1024)
def camel(name):
    """data_crc32c becomes dataCrc32c."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _value(value, kind, path):
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise _unfit(value, "repeated field", path)
        return [_value(item, kind[0], f"{path}[{index}]")
                for index, item in enumerate(value)]
    if isinstance(kind, dict) and "*" in kind:
        if not isinstance(value, dict):
            raise _unfit(value, "Map", path)
        return {key: _value(item, kind["*"], f"{path}[{key}].value")
                for key, item in value.items()}
    if isinstance(kind, dict):
        return message(value, kind, path)
    return _scalar(value, kind, path)


def _scalar(value, kind, path):
    if kind == "bool":
        fits = isinstance(value, bool)
    elif kind == "int64":
        return _integer(value, path)
    elif kind == "enum":
        fits = isinstance(value, (str, int)) and not isinstance(value, bool)
    else:
        fits = isinstance(value, str)
    if fits and kind == "timestamp":
        fits = bool(_TIMESTAMP.fullmatch(value))
    if fits and kind == "duration":
        fits = bool(_DURATION.fullmatch(value))
    if not fits:
        raise _unfit(value, _TYPES[kind], path)
    return _bytes(value, path) if kind == "bytes" else value


def _integer(value, path):
    """int64 may be a number or a decimal string."""
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d{0,18})", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise _unfit(value, "TYPE_INT64", path)
    if not -2**63 <= value < 2**63:
        raise _unfit(value, "TYPE_INT64", path)
    return value


def _bytes(text, path):
    """Standard or URL-safe alphabet, not mixed; padding right or absent."""
    bare = text.rstrip("=")
    mixed = any(c in text for c in "+/") and any(c in text for c in "-_")
    padded = len(bare) != len(text)
    try:
        if mixed or not _BASE64.fullmatch(text) or (padded and len(text) % 4):
            raise ValueError
        filled = bare + "=" * (-len(bare) % 4)
        return base64.b64decode(filled.translate(str.maketrans("-_", "+/")), None, True)
    except (ValueError, binascii.Error):
        raise Unfit(f"Invalid value at '{path}' (TYPE_BYTES), Base64 "
                    f'decoding failed for "{text}"', path) from None


def _unfit(value, kind, path):
    return Unfit(f"Invalid value at '{path}' ({kind}), {_show(value)}", path)


def _show(value):
    return json.dumps(value)


def _join(path, name):
    return f"{path}.{snake(name)}" if path else snake(name)


def _no_duplicates(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key")
    return result


def _no_constant(name):
    raise ValueError(name)
