"""A client made of the standard library, to test the emulator with."""

import base64
import http.client
import json
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlencode

from .locations import host_of

SECRETS = "/v1/projects/test-project/secrets"
TOKEN_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
TIMEOUT = 5


@dataclass
class Answer:
    """One response, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]

    @property
    def reason(self):
        """The reason of the ErrorInfo among the details."""
        for detail in self.error.get("details", ()):
            if detail["@type"].endswith("ErrorInfo"):
                return detail["reason"]
        return None


class Driver:
    """Talks to one emulator; each call is a connection of its own unless kept."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.trust = ssl.create_default_context(cafile=emulator.ca_file)
        self._token = None

    # --- HTTP --------------------------------------------------------------------

    def connection(self, service):
        port = self.emulator.port(service)
        if service == "metadata" or (service == "secretmanager"
                                     and self.emulator.plain):
            return http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        return http.client.HTTPSConnection("localhost", port, timeout=TIMEOUT,
                                           context=self.trust)

    def send(self, service, method, path, body=None, headers=(), kept=None):
        connection = kept or self.connection(service)
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        if not kept:
            connection.close()
        return answer

    def socket(self, service, context=None, server_name="localhost"):
        """A connected socket, with TLS where the service has it."""
        port = self.emulator.port(service)
        sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        if service == "metadata" or (service == "secretmanager"
                                     and self.emulator.plain):
            return sock
        return (context or self.trust).wrap_socket(sock, server_hostname=server_name)

    def raw(self, service, data):
        """Send bytes, and return all that comes until the connection ends."""
        with self.socket(service) as sock:
            sock.sendall(data)
            return read_to_end(sock)

    # --- tokens ------------------------------------------------------------------

    def metadata(self, path, headers=(("Metadata-Flavor", "Google"),)):
        return self.send("metadata", "GET", path, headers=headers)

    def new_token(self):
        return self.metadata(TOKEN_PATH).json["access_token"]

    @property
    def token(self):
        self._token = self._token or self.new_token()
        return self._token

    def oauth(self, form, path="/token",
              content_type="application/x-www-form-urlencoded"):
        body = form if isinstance(form, str) else urlencode(form)
        return self.send("oauth", "POST", path, body,
                         {"Content-Type": content_type})

    # --- Secret Manager ----------------------------------------------------------

    def api(self, method, path, body=None, headers=(), token=None, kept=None):
        """Call the API; path is under …/secrets unless it begins with a slash."""
        if not path.startswith("/"):
            path = SECRETS + ("/" if path and path[0] != "?" else "") + path
        send = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            send["Content-Type"] = "application/json"
        send.update(headers)
        return self.send("secretmanager", method, path, body, send, kept)

    def create(self, secret_id="s", **fields):
        body = {"replication": {"automatic": {}}, **fields}
        return self.api("POST", f"?secretId={secret_id}", body)

    def regional(self, method, path, body=None, location="us-east1"):
        """The same at the host of a location; path is under its …/secrets."""
        if not path.startswith("/"):
            parent = SECRETS.replace("/secrets", f"/locations/{location}/secrets")
            path = parent + ("/" if path and path[0] != "?" else "") + path
        return self.api(method, path, body, {"Host": host_of(location)})

    def add(self, secret_id="s", data=b"payload", **payload):
        encoded = base64.b64encode(data).decode()
        body = {"payload": {"data": encoded, **payload}}
        return self.api("POST", f"{secret_id}:addVersion", body)

    def access(self, secret_id="s", version="1"):
        return self.api("GET", f"{secret_id}/versions/{version}:access")

    def request_bytes(self, method="GET", path="s", body=b"", extra=b""):
        """An API request as raw bytes."""
        lines = [f"{method} {SECRETS}/{path} HTTP/1.1", "Host: localhost",
                 f"Authorization: Bearer {self.token}"]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n" + extra + b"\r\n" + body


def read_to_end(sock):
    data = b""
    while part := sock.recv(65536):
        data += part
    return data
