"""What the emulator saw: every connection and every request, in order."""

import json
import threading
import time
from dataclasses import dataclass, field

UNPARSED = ("refused", "incomplete")
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")


@dataclass
class Connection:
    """One accepted connection, whether or not a request ever came over it."""

    id: int
    service: str
    time: float
    peer: tuple
    established: bool = False  # TLS handshake done (plain: accepted)
    tls_version: str = None
    cipher: str = None
    alpn: str = None
    sni: str = None
    session_reused: bool = False
    error: str = None
    requests: int = 0
    closed: bool = False


@dataclass
class Entry:
    """One request and what became of it; status None: no reply was begun."""

    index: int
    time: float
    service: str
    connection: int
    method: str
    path: str
    query: list
    headers: list
    body: bytes = field(repr=False)
    operation: str
    target: str = ""
    committed: bool = False
    status: int = None
    problems: list = field(default_factory=list)
    fault: object = None

    def header(self, name):
        """Return the first value of a header, or None."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None

    @property
    def json(self):
        """The body read as JSON."""
        return json.loads(self.body)

    def public(self):
        """A dictionary that holds neither a credential nor a body.

        What could not be parsed may be a body in the wrong place: it stays out too.
        """
        headers = [(name, "[removed]" if name.lower() in _SECRET_HEADERS else value)
                   for name, value in self.headers]
        method, target = self.method, self.target
        if self.operation in UNPARSED:
            method, target, headers = "[unparsed]", "", []
        return {
            "index": self.index, "time": round(self.time, 6), "service": self.service,
            "connection": self.connection, "method": method,
            "target": target, "operation": self.operation, "headers": headers,
            "body_bytes": len(self.body), "committed": self.committed,
            "status": self.status, "problems": self.problems,
        }


class Journal:
    """A list of entries, safe to read while requests come in."""

    def __init__(self, path=None, on_entry=None):
        self._lock = threading.Lock()
        self._entries = []
        self._connections = []
        self._path = path
        self._on_entry = on_entry
        if path:
            open(path, "w", encoding="utf-8").close()

    def __len__(self):
        return len(self._entries)

    def __iter__(self):
        return iter(list(self._entries))

    def __getitem__(self, index):
        return self._entries[index]

    def clear(self):
        """Forget requests and connections; indexes begin at 0 again."""
        with self._lock:
            self._entries.clear()
            self._connections.clear()

    def connected(self, service, peer):
        with self._lock:
            record = Connection(len(self._connections) + 1, service, time.time(), peer)
            self._connections.append(record)
            return record

    def received(self, service, connection, request, operation):
        with self._lock:
            entry = Entry(
                len(self._entries), time.time(), service, connection.id,
                request.method, request.path, request.query, list(request.headers),
                request.body, operation, request.target)
            self._entries.append(entry)
            connection.requests += 1
            return entry

    def settled(self, entry):
        """Write the entry out: its fate is known."""
        if self._path:
            line = json.dumps(entry.public())
            with self._lock, open(self._path, "a", encoding="utf-8") as out:
                out.write(line + "\n")
        if self._on_entry:
            self._on_entry(entry)

    def requests(self, service=None, method=None, path_contains=None, operation=None):
        """Return the entries that match everything given."""
        return [entry for entry in self
                if (service is None or entry.service == service)
                and (method is None or entry.method == method)
                and (path_contains is None or path_contains in entry.path)
                and (operation is None or entry.operation == operation)]

    def connections(self, service=None):
        """Return the connections, also those that never finished a handshake."""
        return [record for record in list(self._connections)
                if service is None or record.service == service]
