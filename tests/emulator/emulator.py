"""The emulator as a whole: services, certificates, journal and ordered faults."""

import json
import os
import ssl
import tempfile
import threading
import time

from .accounts import Accounts
from .certificates import certificates
from .faults import Fault, Order, Orders, from_json
from .federation import Federation
from .iam import Iam
from .journal import Journal
from .locations import location_of
from .loop import LoopServer
from .metadata import Metadata
from .near import near
from .oauth import OAuth, write_authorized_user
from .resourcemanager import ResourceManager
from .secretmanager import SecretManager
from .server import Server
from .tokens import Tokens

FIRST_NUMBER = 123456789012
SERVICES = ("secretmanager", "oauth", "metadata", "federation", "resourcemanager")
# TLS 1.2 suites of Google's front end; TLS 1.3 has its own list.
CIPHERS = ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
           "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
           "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")


class Emulator:
    """Secret Manager, the OAuth endpoint and a metadata server on loopback.

    directory     where certificates are made and kept
    projects      ids of the projects that exist; numbers are given in order
    chain         "ec", "google" (P-256 <- RSA-2048 <- RSA-4096), "rsa" or "p384"
    certificate   None for a good one, or a name in certificates.FAULTS
    files         certificates.Certificates made elsewhere, instead of those two
    tls           "1.2", "1.3" or None for both
    plain         Secret Manager without TLS
    ipv6          listen on ::1 too
    framing       of replies: "length", "chunked" or "close"
    journal_file  gets one JSON line per request, without credentials and bodies
    state_file    gets a JSON summary of what is stored, after every change
    ports         fixed ports by service name; others are ephemeral
    addresses     addresses by service name; others are on 127.0.0.1
    on_request    called with each journal entry once its fate is known
    fast          Secret Manager in one thread that records no requests (loop.py)
    clock         what tokens take for the time, in seconds since 1970
    """

    def __init__(self, directory, *, projects=("test-project",), chain="ec",
                 certificate=None, files=None, tls=None, plain=False, ipv6=False,
                 framing="length", journal_file=None, state_file=None, ports=None,
                 addresses=None, on_request=None, clock=time.time, fast=False):
        self.directory = os.fspath(directory)
        self.project = projects[0]
        self.projects = {project: str(FIRST_NUMBER + index)
                         for index, project in enumerate(projects)}
        self.project_number = self.projects[self.project]
        self.plain = plain
        self.tokens = Tokens(clock)
        self.iam = Iam()
        self.orders = Orders()
        self.journal = Journal(journal_file, on_request)
        self.secretmanager = SecretManager(self.tokens, self.iam, self.projects)
        self.accounts = Accounts(self.directory, self.tokens)
        self.oauth = OAuth(self.tokens, self.accounts)
        self.federation = Federation(self.tokens, self.directory, self.accounts)
        self.metadata = Metadata(self.tokens, self.project, self.project_number,
                                 self.accounts)
        self.resourcemanager = ResourceManager(self.tokens, self.iam, self.projects)
        self._certificates = files or certificates(self.directory, chain, certificate)
        self._context = _context(self._certificates, tls)
        self._ipv6 = ipv6
        self._framing = framing
        self._fast = fast
        self._ports = dict(ports or {})
        self._addresses = dict(addresses or {})
        self._servers = {}
        self._state_file = state_file
        self._state_lock = threading.Lock()
        self.secretmanager.store.on_change = self._write_state

    # --- running -----------------------------------------------------------------

    def start(self):
        """Open the ports and serve; an emulator is started once."""
        if self._servers:
            raise RuntimeError("the emulator was started before")
        self._serve(self.secretmanager, None if self.plain else self._context)
        self._serve(self.oauth, self._context)
        self._serve(self.metadata, None)
        self._serve(self.federation, self._context)
        self._serve(self.resourcemanager, self._context)
        for server in self._servers.values():
            server.listen()
        self._write_state()
        return self

    def serve_certificates(self):
        """Open one more port of federation, "mtls", which looks at clients' certificates."""
        context = _bare_context(self._certificates.chain_file, self._certificates.key_file,
                                None)
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(self.ca_file)
        self._servers["mtls"] = Server(self.federation, self.journal, self.orders, context,
                                       self._framing, 0, self._ipv6)
        self._servers["mtls"].listen()

    def stop(self):
        for server in self._servers.values():
            server.stop()

    def __enter__(self):
        return self if self._servers else self.start()

    def __exit__(self, *problem):
        self.stop()

    def _serve(self, service, tls):
        kind = LoopServer if self._fast and service is self.secretmanager else Server
        server = kind(service, self.journal, self.orders, tls, self._framing,
                      self._ports.get(service.name, 0), self._ipv6,
                      self._addresses.get(service.name, "127.0.0.1"))
        self._servers[service.name] = server

    # --- where it is -------------------------------------------------------------

    def port(self, service):
        return self._servers[service].port

    @property
    def ca_file(self):
        """The root certificate to trust."""
        return self._certificates.ca_file

    @property
    def workload(self):
        """The certificate of a client and its key."""
        return self._certificates.workload_file, self._certificates.workload_key_file

    @property
    def secretmanager_url(self):
        scheme = "http" if self.plain else "https"
        return f"{scheme}://localhost:{self.port('secretmanager')}"

    @property
    def oauth2_url(self):
        return f"https://localhost:{self.port('oauth')}"

    @property
    def federation_url(self):
        return f"https://localhost:{self.port('federation')}"

    @property
    def resourcemanager_url(self):
        return f"https://localhost:{self.port('resourcemanager')}"

    @property
    def metadata_host(self):
        return f"127.0.0.1:{self.port('metadata')}"

    def environment(self):
        """The variables that lead a client here."""
        return {
            "SECRET_MANAGER_ENDPOINT": self.secretmanager_url,
            "OAUTH2_ENDPOINT": self.oauth2_url,
            "STS_ENDPOINT": self.federation_url,
            "IAM_CREDENTIALS_ENDPOINT": self.federation_url,
            "RESOURCE_MANAGER_ENDPOINT": self.resourcemanager_url,
            "GCE_METADATA_HOST": self.metadata_host,
            "SSL_CERT_FILE": self.ca_file,
        }

    # --- credentials -------------------------------------------------------------

    def make_authorized_user(self, path, quota_project_id=None,
                             identity="user@example.com"):
        """Write an ADC file of type authorized_user; returns its content."""
        client, refresh = self.oauth.add_user(identity)
        return write_authorized_user(path, client, refresh, quota_project_id)

    # --- faults ------------------------------------------------------------------

    def order(self, service, match=None, nth=1, times=1, fault=None, **fields):
        """Order a fault for the nth matching request from now, and times in all.

        match is the name of an operation, a function of the request, or None for
        any; times=None means for ever. The fault is given whole or by its fields.
        """
        if service not in SERVICES:
            raise ValueError(f"no service {service!r}{near(service, SERVICES)}")
        operations = getattr(self, service).operations()
        if isinstance(match, str) and match not in operations:
            raise ValueError(
                f"no operation {match!r} of {service}{near(match, operations)}")
        if nth < 1 or (times is not None and times < 1):
            raise ValueError("nth and times count from 1")
        if (fault is None) == (not fields):
            raise ValueError("give either a fault or its fields")
        return self.orders.add(Order(service, match, nth, times,
                                     fault or Fault(**fields)))

    def order_json(self, value):
        """Order a fault that is written as JSON; see faults.from_json."""
        return self.order(**from_json(value))

    @property
    def loop(self):
        """The fast server of Secret Manager, for what only that one has."""
        return self._servers["secretmanager"]

    def refuse(self, service, seconds=None):
        """Refuse connections to a service: for good, or for some seconds."""
        self._servers[service].refuse()
        if seconds is not None:
            timer = threading.Timer(seconds, self._servers[service].listen)
            timer.daemon = True
            timer.start()

    def listen(self, service):
        """Accept connections again."""
        self._servers[service].listen()

    def drop_connections(self, service, how="fin"):
        """End all open connections of a service now; how is fin or rst."""
        self._servers[service].drop_connections(how)

    def set_idle_seconds(self, service, seconds):
        """How long an idle connection is kept open."""
        self._servers[service].idle_seconds = seconds

    # --- what happened -----------------------------------------------------------

    def requests(self, service=None, method=None, path_contains=None, operation=None):
        return self.journal.requests(service, method, path_contains, operation)

    def connections(self, service=None):
        return self.journal.connections(service)

    @property
    def crashes(self):
        """Exceptions inside the emulator: always empty, or it has a bug."""
        return [crash for server in self._servers.values()
                for crash in server.crashes]

    def _write_state(self):
        if not self._state_file:
            return
        with self._state_lock:
            folder = os.path.dirname(os.path.abspath(self._state_file))
            with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as out:
                json.dump(self.secretmanager.store.summary(), out, indent=2)
                out.write("\n")
            os.chmod(out.name, 0o644)
            os.replace(out.name, self._state_file)


def _context(files, tls):
    """Like Google's front end: without SNI the client gets a useless certificate."""
    named = _bare_context(files.chain_file, files.key_file, tls)
    nameless = _bare_context(files.no_sni_chain_file, files.no_sni_key_file, tls)

    regional = named
    if files.regional_chain_file:
        regional = _bare_context(files.regional_chain_file, files.regional_key_file, tls)

    def choose(sock, name, _context):
        sock.requested_name = name
        sock.context = nameless
        if name:
            sock.context = regional if location_of(name) else named

    named.sni_callback = choose
    return named


def _bare_context(chain_file, key_file, tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Level 0, or OpenSSL would refuse to load the weak certificates of some tests.
    context.set_ciphers(CIPHERS + ":@SECLEVEL=0")
    context.load_cert_chain(chain_file, key_file)
    context.set_alpn_protocols(["http/1.1"])
    versions = {None: (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3),
                "1.2": (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2),
                "1.3": (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_3)}
    context.minimum_version, context.maximum_version = versions[tls]
    return context
