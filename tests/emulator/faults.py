"""Faults that a test orders: what goes wrong, and on which request."""

import base64
import json
import random
import threading
from dataclasses import dataclass, fields

from . import errors
from .near import near
from .wire import Reply

DROPS = ("unread", "uncommitted", "committed", "cut", "idle")
HOWS = ("close_notify", "fin", "rst", "hang")
CONNECTION_FAULTS = ("silent", "reset", "plaintext")


@dataclass(frozen=True)
class Fault:
    """What goes wrong. Fields may be combined; each default means "nothing".

    reply        Reply sent instead of the service's own, or a function that makes
                 it of the request
    raw          bytes sent verbatim instead of a reply; then the connection ends
    garbage      so many random bytes instead of a reply; then the connection ends
    commit       with the three above: let the service carry the request out first
    delay_before seconds between the request and the service
    delay_after  seconds between the service and the first byte of the reply
    drop         when the connection ends without being announced:
                 unread: at the first byte of a request, which is not read
                 uncommitted: request read, service not asked
                 committed: service has done its work, no byte of a reply
                 cut: after the first cut_at bytes of the reply (negative: from end)
                 idle: after the whole reply
    how          how it ends: close_notify, fin, rst, or hang (stays open, silent)
    drip         seconds between the single bytes of the reply (0 is allowed)
    extra        bytes sent after the reply
    interim      status codes of replies sent before the reply, such as (100, 103)
    tamper       name in TAMPERINGS, or a function from JSON value to JSON value
    framing      length, chunked or close, for this reply
    connection   on accept, before TLS: silent, reset or plaintext
    """

    reply: object = None
    raw: bytes = None
    garbage: int = None
    commit: bool = False
    delay_before: float = 0
    delay_after: float = 0
    drop: str = None
    how: str = "close_notify"
    cut_at: int = 0
    drip: float = None
    extra: bytes = b""
    interim: tuple = ()
    tamper: object = None
    framing: str = None
    connection: str = None

    def __post_init__(self):
        _one_of("drop", self.drop, (None,) + DROPS)
        _one_of("how", self.how, HOWS)
        _one_of("connection", self.connection, (None,) + CONNECTION_FAULTS)
        _one_of("framing", self.framing, (None, "length", "chunked", "close"))
        if not callable(self.tamper):
            _one_of("tamper", self.tamper, (None, *TAMPERINGS))

    @property
    def instead(self):
        """True if the service's own reply is not what the client gets."""
        return (self.reply is not None or self.raw is not None
                or self.garbage is not None)

    def verbatim(self):
        """The bytes to send instead of an HTTP reply, or None."""
        if self.raw is not None:
            return self.raw
        if self.garbage is not None:
            return random.Random(self.garbage).randbytes(self.garbage)
        return None

    def tampered(self, reply):
        """Apply the tampering to a successful JSON reply."""
        if self.tamper is None or reply.status != 200:
            return reply
        change = TAMPERINGS.get(self.tamper, self.tamper)
        return reply.with_json(change(json.loads(reply.body)))


ORDER = ("service", "match", "nth", "times")


def from_json(value):
    """Build an order's arguments from JSON: service, match, nth, times + fields.

    TypeError: a name that does not exist; ValueError: a value that does not fit.
    """
    value = dict(value)
    known = [*ORDER, *(field.name for field in fields(Fault))]
    for name in value:
        if name not in known:
            raise TypeError(f"no field {name!r}{near(name, known)}")
    if "service" not in value:
        raise ValueError("service is missing")
    for name, kinds in _KINDS.items():
        if name in value and (not isinstance(value[name], kinds)
                              or isinstance(value[name], bool) != (name == "commit")):
            raise ValueError(f"{name}={value[name]!r}: of the wrong type")
    order = {name: value.pop(name) for name in ORDER if name in value}
    if not value:
        raise ValueError("no fault is given")
    reply = value.get("reply")
    if isinstance(reply, str):
        value["reply"] = errors.named(reply)
    elif isinstance(reply, dict):
        value["reply"] = _reply(**reply)
    for name in ("raw", "extra"):
        if name in value:
            value[name] = value[name].encode("latin-1")
    if "interim" in value:
        value["interim"] = tuple(value["interim"])
    order["fault"] = Fault(**value)
    return order


_KINDS = {
    "service": str, "match": (str, type(None)), "nth": int, "times": (int, type(None)),
    "reply": (str, dict), "raw": str, "garbage": int, "commit": bool,
    "delay_before": (int, float), "delay_after": (int, float), "drop": str, "how": str,
    "cut_at": int, "drip": (int, float), "extra": str, "interim": list, "tamper": str,
    "framing": str, "connection": str,
}


def _reply(status, headers=(), body=""):
    if not isinstance(status, int):
        raise ValueError(f"reply: status={status!r}: must be a number")
    return Reply(status, body.encode(), tuple(tuple(pair) for pair in headers))


class Order:
    """One fault, for the nth matching request and those after it, times in all."""

    def __init__(self, service, match, nth, times, fault):
        self.service = service
        self.match = match
        self.fault = fault
        self.seen = 0
        self.hits = 0
        self._first = nth
        self._last = None if times is None else nth + times - 1

    def concerns(self, service, operation, request):
        if service != self.service:
            return False
        if callable(self.match):
            return bool(self.match(request))
        return self.match is None or self.match == operation

    def due(self):
        """Count one matching request; tell whether the fault strikes it."""
        self.seen += 1
        due = self.seen >= self._first and (
            self._last is None or self.seen <= self._last)
        self.hits += due
        return due


class Orders:
    """All orders; of several that are due, the one given first is carried out.

    sprinkle  where none is due: a function of service, operation and request to a Fault
              or None, for faults of many secrets that are computed, not listed
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._orders = []
        self.sprinkle = None

    def add(self, order):
        with self._lock:
            self._orders.append(order)
        return order

    def clear(self):
        with self._lock:
            self._orders.clear()

    def for_connection(self, service):
        return self._take(lambda order: order.fault.connection is not None
                          and order.service == service)

    def for_unread(self, service):
        return self._take(lambda order: order.fault.drop == "unread"
                          and order.service == service)

    def for_request(self, service, operation, request):
        fault = self._take(lambda order: order.fault.connection is None
                           and order.fault.drop != "unread"
                           and order.concerns(service, operation, request))
        if fault is None and self.sprinkle:
            fault = self.sprinkle(service, operation, request)
        return fault

    def _take(self, concerned):
        with self._lock:
            due = [order for order in self._orders
                   if concerned(order) and order.due()]
        return due[0].fault if due else None


# --- Tampering with the content of a good reply --------------------------------------


def _payload(change):
    """Make a tampering from a function that edits payload bytes."""
    def tamper(value):
        data = base64.b64decode(value["payload"]["data"])
        value["payload"]["data"] = base64.b64encode(change(data)).decode()
        return value
    return tamper


def _flip(data):
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1:]


def _wrong_crc(value):
    crc = int(value["payload"]["dataCrc32c"])
    value["payload"]["dataCrc32c"] = str(crc ^ 1)
    return value


def _crc_number(value):
    value["payload"]["dataCrc32c"] = int(value["payload"]["dataCrc32c"])
    return value


def _without_crc(value):
    del value["payload"]["dataCrc32c"]
    return value


def _url_safe(value):
    data = base64.b64decode(value["payload"]["data"])
    value["payload"]["data"] = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return value


def _without_data(value):
    del value["payload"]["data"]
    return value


def _without_payload(value):
    del value["payload"]
    return value


def _other_version(value):
    head, _, number = value["name"].rpartition("/")
    value["name"] = f"{head}/{int(number) + 1}"
    return value


def _without_name(value):
    del value["name"]
    return value


def _without_checksum_flag(value):
    value.pop("clientSpecifiedPayloadChecksum", None)
    return value


def _state_number(value):
    value["state"] = {"ENABLED": 1, "DISABLED": 2, "DESTROYED": 3}[value["state"]]
    return value


TAMPERINGS = {
    "flip": _payload(_flip),
    "truncate": _payload(lambda data: data[:-1]),
    "wrong-crc": _wrong_crc,
    "crc-number": _crc_number,
    "no-crc": _without_crc,
    "no-data": _without_data,
    "no-payload": _without_payload,
    "url-safe": _url_safe,
    "other-version": _other_version,
    "no-name": _without_name,
    "no-checksum-flag": _without_checksum_flag,
    "state-number": _state_number,
}


def _one_of(name, value, allowed):
    if value not in allowed:
        names = [other for other in allowed if other is not None]
        raise ValueError(f"no {name} {value!r}{near(value, names)}")
