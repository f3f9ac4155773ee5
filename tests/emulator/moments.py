"""Timestamps and durations as Google's JSON has them."""

import re
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def seconds_of(timestamp):
    """Seconds since 1970, or ValueError."""
    match = _TIMESTAMP.fullmatch(timestamp)
    if not match:
        raise ValueError(timestamp)
    zone = "+00:00" if match[3] == "Z" else match[3]
    whole = datetime.fromisoformat(match[1] + zone) - _EPOCH
    return whole.total_seconds() + float(match[2] or 0)


def timestamp(seconds):
    """In UTC, with 0, 3 or 6 digits of a second, as the fraction needs."""
    moment = _EPOCH + timedelta(seconds=seconds)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    if moment.microsecond % 1000:
        text += f".{moment.microsecond:06d}"
    elif moment.microsecond:
        text += f".{moment.microsecond // 1000:03d}"
    return text + "Z"


def length_of(duration):
    """Seconds of a duration such as "1.5s"."""
    return float(duration[:-1])
