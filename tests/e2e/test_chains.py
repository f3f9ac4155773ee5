"""A matrix of certificate chains: each bad one beside a good one that differs only in
what is bad. RFC 5280, RFC 6125."""

import socket
import threading

import chains
import pytest
from chains import (ANY_USAGE, CLIENT_AUTH, SERVER_AUTH, Critical, alternative, authority,
                    chain, dns, permitted, purposes, usage)
from conftest import Job, together

from emulator.certificates import Certificates

# ECDHE with AES-128-GCM and SHA-256, and an empty renegotiation_info.
SERVER_HELLO = b"\2\0\0\x2d\3\3" + bytes(range(32)) + b"\0%s\0\0\5\xff\1\0\1\0"
SUITES = {"rsa": b"\xc0\x2f", "ec": b"\xc0\x2b"}
RSA = {"key": "rsa:2048 leaf"}
RSA_ROOT = {"key": "rsa:2048 root"}
YEARS = 365 * 100


def second_root(parts):
    return chains.certificate(chains.AUTHORITY, "Second", "P-256 second", "Second",
                              "P-256 second", {})


def signed_by(issuer, subject, key, **changes):
    """A further authority below another one."""
    def make(parts):
        above = parts[issuer]
        return chains.certificate(chains.AUTHORITY, subject, key, above.subject, above.key,
                                  changes)
    return make


def google():
    """P-256 below RSA-2048 below RSA-4096, as Google's chain is."""
    return chain(middle={"key": "rsa:2048 middle"}, root={"key": "rsa:4096 root"})


def deep(depth_of_root=None, depth_of_middle=None):
    """Two intermediates; the leaf is below the lower one."""
    made = chain(root={"bc": authority(depth_of_root)},
                 middle={"bc": authority(depth_of_middle)})
    lower = signed_by("middle", "Lower", "P-256 lower")(made.parts)
    leaf = chains.certificate(chains.LEAF, "localhost", "P-256 leaf", "Lower",
                              "P-256 lower", {})
    made.sent = [leaf, lower, made.parts["middle"]]
    return made


def of_many(count):
    made = chain()
    above, between = made.parts["root"], []
    for number in range(count):
        above = chains.certificate(chains.AUTHORITY, f"CA {number}", "P-256 middle",
                                   above.subject, above.key, {})
        between.insert(0, above)
    leaf = chains.certificate(chains.LEAF, "localhost", "P-256 leaf", above.subject,
                              above.key, {})
    made.sent = [leaf, *between]
    return made


GOOD = {
    "usual": chain,
    "google": google,
    "all-rsa": lambda: chain(leaf=RSA, middle={"key": "rsa:2048 middle"}, root=RSA_ROOT),
    "rsa-3072-leaf": lambda: chain(leaf={"key": "rsa:3072 leaf"}),
    "rsa-4096-leaf": lambda: chain(leaf={"key": "rsa:4096 leaf"}),
    "p-384": lambda: chain(leaf={"key": "P-384 leaf"}, root={"key": "P-384 root"},
                           middle={"algorithm": "ec-sha384"}),
    "p-521-root": lambda: chain(root={"key": "P-521 root"},
                                middle={"algorithm": "ec-sha512"}),
    "sha-384": lambda: chain(leaf={"algorithm": "ec-sha384"}),
    "rsa-sha-512": lambda: chain(root=RSA_ROOT, middle={"algorithm": "rsa-sha512"}),
    "leaf-below-root": lambda: chain(sent="leaf", middle={"subject": "Root",
                                                          "key": "P-256 root"}),
    "root-sent-too": lambda: chain(sent="leaf middle root"),
    "second-root-sent-too": lambda: chain(sent="leaf middle other", other=second_root),
    "several-trusted": lambda: chain(trusted="other root", other=second_root),
    "intermediate-trusted": lambda: chain(sent="leaf", trusted="middle"),
    "two-intermediates": deep,
    "pathlen-1": lambda: deep(depth_of_root=1),
    "six-intermediates": lambda: of_many(6),
    "wildcard": lambda: chain(leaf={"san": dns("*.example", "localhost")}),
    "second-name": lambda: chain(leaf={"san": dns("other.example", "localhost")}),
    "name-in-any-case": lambda: chain(leaf={"san": dns("LocalHost")}),
    "name-beside-address": lambda: chain(leaf={"san": chains.sequence(
        chains.tlv(0x87, b"\x7f\0\0\1"), chains.tlv(0x82, b"localhost"))}),
    "many-names": lambda: chain(leaf={"san": dns(
        *(f"host-{n}.example" for n in range(200)), "localhost")}),
    "no-common-name-match": lambda: chain(leaf={"subject": "something else"}),
    "both-purposes": lambda: chain(leaf={"eku": purposes(CLIENT_AUTH, SERVER_AUTH)}),
    "any-purpose": lambda: chain(leaf={"eku": purposes(ANY_USAGE)}),
    "leaf-itself-trusted": lambda: chain(sent="leaf", trusted="leaf"),
    "no-purpose": lambda: chain(leaf={"eku": None}),
    "no-key-usage": lambda: chain(leaf={"ku": None}),
    "no-basic-constraints-leaf": lambda: chain(leaf={"bc": None}),
    "authority-without-key-usage": lambda: chain(middle={"ku": None}),
    "authority-for-servers": lambda: chain(middle={"eku": purposes(SERVER_AUTH)}),
    "unknown-extension": lambda: chain(leaf={"unknown": b"\5\0"}),
    "starts-just-now": lambda: chain(leaf={"days": (-0.01, 80)}),
    "ends-soon": lambda: chain(leaf={"days": (-10, 0.01)}),
    "root-for-a-century": lambda: chain(root={"days": (-10, YEARS)}),
    "long-serial": lambda: chain(leaf={"serial": 2**158}),
}

# The twin, what is bad, and what the message says.
BAD = {
    # names
    "other-name": ("usual", lambda: chain(leaf={"san": dns("other.example")}),
                   "for other names: other.example"),
    "name-below": ("usual", lambda: chain(leaf={"san": dns("a.localhost")}), "other names"),
    "name-above": ("usual", lambda: chain(leaf={"san": dns("host")}), "other names"),
    "name-longer": ("usual", lambda: chain(leaf={"san": dns("localhost.example")}),
                    "other names"),
    "common-name-only": ("no-common-name-match", lambda: chain(leaf={"san": None}),
                         "no DNS name in subjectAltName"),
    "address-only": ("name-beside-address", lambda: chain(
        leaf={"san": alternative(0x87, b"\x7f\0\0\1")}), "no DNS name"),
    "mail-only": ("usual", lambda: chain(leaf={"san": alternative(0x81, b"a@localhost")}),
                  "no DNS name"),
    "uri-only": ("usual", lambda: chain(
        leaf={"san": alternative(0x86, b"https://localhost/")}), "no DNS name"),
    "bare-star": ("wildcard", lambda: chain(leaf={"san": dns("*")}), "other names"),
    "star-inside": ("wildcard", lambda: chain(leaf={"san": dns("local*")}), "other names"),
    "star-below": ("wildcard", lambda: chain(leaf={"san": dns("*.localhost")}),
                   "other names"),
    "nul-in-name": ("usual", lambda: chain(leaf={"san": dns(b"localhost\0.evil")}), ""),
    "dot-at-end": ("usual", lambda: chain(leaf={"san": dns("localhost.")}), "other names"),
    "space-in-name": ("usual", lambda: chain(leaf={"san": dns("localhost ")}),
                      "other names"),
    "empty-name": ("usual", lambda: chain(leaf={"san": dns("")}), ""),
    # time
    "expired": ("ends-soon", lambda: chain(leaf={"days": (-10, -1)}),
                "its certificate expired at"),
    "future": ("starts-just-now", lambda: chain(leaf={"days": (1, 80)}),
               "its certificate is not valid before"),
    "expired-intermediate": ("usual", lambda: chain(middle={"days": (-10, -1)}),
                             "an intermediate certificate expired at"),
    "future-intermediate": ("usual", lambda: chain(middle={"days": (1, 80)}),
                            "an intermediate certificate is not valid before"),
    "expired-root": ("usual", lambda: chain(root={"days": (-10, -1)}), "1 expired"),
    "future-root": ("usual", lambda: chain(root={"days": (1, 80)}), ""),
    # trust
    "unknown-root": ("several-trusted", lambda: chain(trusted="other", other=second_root),
                     'the last issuer is "Root"'),
    "no-intermediate": ("usual", lambda: chain(sent="leaf"), 'the last issuer is "Middle"'),
    "self-signed": ("leaf-below-root", lambda: chain(sent="leaf", leaf={
        "issuer": "localhost", "signer": "P-256 leaf"}), "no trusted root"),
    "same-name-other-key": ("usual", lambda: chain(
        trusted="other", other=lambda parts: chains.certificate(
            chains.AUTHORITY, "Root", "P-256 second", "Root", "P-256 second", {})),
        "no trusted root"),
    "order-turned": ("usual", lambda: chain(sent="middle leaf"), ""),
    "another-in-between": ("second-root-sent-too", lambda: chain(
        sent="leaf other middle", other=second_root), "out of order"),
    # signatures
    "signature-changed": ("usual", lambda: chain(leaf={"edit": ((-1, 0),)}), ""),
    "content-changed": ("usual", lambda: chain(leaf={"edit": ((60, 0x41),)}), ""),
    "signed-by-another": ("usual", lambda: chain(leaf={"signer": "P-256 second"}),
                          "the signature of a certificate is wrong"),
    "signed-by-itself": ("usual", lambda: chain(leaf={"signer": "P-256 leaf"}),
                         "the signature of a certificate is wrong"),
    "algorithms-differ": ("usual", lambda: chain(leaf={"inner": "ec-sha384"}), ""),
    "sha-1": ("usual", lambda: chain(leaf={"algorithm": "ec-sha1"}),
              "signed with SHA-1 or MD5"),
    "sha-1-intermediate": ("usual", lambda: chain(middle={"algorithm": "ec-sha1"}),
                           "an intermediate certificate is signed with SHA-1"),
    "rsa-sha-1": ("all-rsa", lambda: chain(root=RSA_ROOT,
                                           middle={"algorithm": "rsa-sha1"}), "SHA-1"),
    "rsa-md5": ("all-rsa", lambda: chain(root=RSA_ROOT, middle={"algorithm": "rsa-md5"}),
                "SHA-1 or MD5"),
    "rsa-pss": ("all-rsa", lambda: chain(root=RSA_ROOT, middle={"algorithm": "rsa-pss"}),
                "not supported"),
    "forged-for-exponent-1": ("all-rsa", lambda: chain(
        root={"key": "rsa:2048 root e=1"}, middle={"algorithm": "forged"}), ""),
    # keys
    "rsa-1024": ("all-rsa", lambda: chain(leaf={"key": "rsa:1024 leaf"}),
                 "RSA key of 1024 bits"),
    "rsa-1024-intermediate": ("all-rsa", lambda: chain(middle={
        "key": "rsa:1024 middle"}), "an intermediate certificate has an RSA key of 1024"),
    "rsa-1024-root": ("all-rsa", lambda: chain(root={"key": "rsa:1024 root"}),
                      "1 unusable|no usable certificate"),
    "rsa-2040": ("all-rsa", lambda: chain(leaf={"key": "rsa:2040 leaf"}), "2040 bits"),
    "rsa-8192": ("rsa-4096-leaf", lambda: chain(leaf={"key": "rsa:8192 leaf"}),
                 "8192 bits"),
    "ed25519": ("usual", lambda: chain(leaf={"key": "ed25519 leaf"}), "not supported"),
    "p-192": ("usual", lambda: chain(leaf={"key": "prime192v1 leaf"}), "not supported"),
    "secp256k1": ("usual", lambda: chain(leaf={"key": "secp256k1 leaf"}), "not supported"),
    "explicit-curve": ("usual", lambda: chain(leaf={"key": "P-256 leaf explicit"}), ""),
    # what a certificate is for
    "client-only": ("both-purposes", lambda: chain(leaf={"eku": purposes(CLIENT_AUTH)}),
                    "not for TLS servers"),
    "client-authority": ("authority-for-servers", lambda: chain(
        middle={"eku": purposes(CLIENT_AUTH)}), ""),
    "not-a-ca": ("usual", lambda: chain(middle={"bc": authority(ca=False)}),
                 "no certification authority"),
    "no-basic-constraints": ("usual", lambda: chain(middle={"bc": None}),
                             "no certification authority"),
    "may-not-sign": ("authority-without-key-usage", lambda: chain(
        middle={"ku": usage(0, 6)}), "may not sign|keyUsage"),
    "leaf-may-not-sign-key-exchange": ("no-key-usage", lambda: chain(
        leaf={"ku": usage(5)}), ""),
    "leaf-as-authority": ("usual", lambda: below_a_leaf(), "no certification authority"),
    "pathlen-0": ("pathlen-1", lambda: deep(depth_of_middle=0), ""),
    "too-many": ("six-intermediates", lambda: of_many(12), "larger than"),
    # extensions
    "critical-unknown": ("unknown-extension", lambda: chain(
        leaf={"unknown": Critical(b"\5\0")}), "critical extension that is not supported"),
    "critical-unknown-intermediate": ("unknown-extension", lambda: chain(
        middle={"unknown": Critical(b"\5\0")}), "critical extension"),
    "name-constraints": ("usual", lambda: chain(middle={"nc": permitted("example")}),
                         "name constraints"),
    "name-constraints-fitting": ("usual", lambda: chain(
        middle={"nc": Critical(permitted("localhost"))}), "name constraints"),
    "name-constraints-root": ("usual", lambda: chain(root={"nc": permitted("example")}),
                              "1 unusable|no usable certificate"),
    "extension-twice": ("usual", lambda: chain(leaf={"more": [("san", dns("x"))]}), ""),
    "version-1": ("usual", lambda: chain(middle={"version": 1, "bc": None, "ku": None}),
                  "no certification authority"),
    # form
    "bytes-after": ("usual", lambda: chain(leaf={"tail": b"\0"}), ""),
    "no-der": ("usual", lambda: chain(leaf={"edit": ((0, 0x31),)}), ""),
    "indefinite-length": ("usual", lambda: chain(leaf={"edit": ((1, 0x80),)}), ""),
    "large": ("many-names", lambda: chain(leaf={"san": dns(
        *(f"host-{n:05}.example" for n in range(1200)), "localhost")}), "larger than"),
}


def below_a_leaf():
    """Who holds a certificate for a host signs one for another host."""
    made = chain(leaf={"subject": "host.example", "san": dns("host.example")})
    forged = chains.certificate(chains.LEAF, "localhost", "P-256 forged", "host.example",
                                "P-256 leaf", {})
    made.sent = [forged, made.parts["leaf"], made.parts["middle"]]
    return made


class ChainServer:
    """Answers a ClientHello with given certificates, and no more."""

    def __init__(self, chain):
        ders = [one.der for one in chain.sent]
        rows = b"".join(len(der).to_bytes(3, "big") + der for der in ders)
        body = len(rows).to_bytes(3, "big") + rows
        suite = SUITES["rsa" if chain.key.startswith("rsa") else "ec"]
        message = SERVER_HELLO % suite + b"\x0b" + len(body).to_bytes(3, "big") + body
        self._answer = b"".join(
            b"\x16\3\3" + len(message[at:at + 16384]).to_bytes(2, "big")
            + message[at:at + 16384] for at in range(0, len(message), 16384))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *problem):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
                with client:
                    client.settimeout(30)
                    client.recv(4096)
                    client.sendall(self._answer)
                    while client.recv(4096):
                        pass
            except OSError:
                if self._listener.fileno() < 0:
                    return


def test_each_bad_one_has_a_twin():
    assert len(BAD) >= 30
    assert {twin for twin, _, _ in BAD.values()} <= set(GOOD)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("chains")


@pytest.mark.parametrize("name", GOOD)
def test_good_chains_are_accepted(start_emulator, start_job, folder, name):
    path = folder / name
    path.mkdir()
    sent, trusted, key = GOOD[name]().write(path)
    files = Certificates(str(trusted), str(sent), str(key), str(sent), str(key))
    result = start_job(start_emulator(files=files))()
    assert result.code == 0, result.out


def test_bad_chains_are_refused(emulator, folder):
    """At once, with one clear line, and without a byte of the token."""
    def check(server, trusted, parts):
        with server:
            result = Job(emulator)(SECRET_MANAGER_ENDPOINT=server.url,
                                   SSL_CERT_FILE=trusted)
        assert result.code in (1, 2), result.out
        assert result.warnings == [], result.out
        message = result.error["message"]
        assert any(part in message for part in parts.split("|")), message
        if result.code == 1:
            assert "cannot reach Secret Manager: localhost: " in message
            assert "was closed during" not in message, message
        print(message)

    rows = {}
    for name, (_, make, parts) in BAD.items():
        path = folder / f"bad-{name}"
        path.mkdir()
        made = make()
        _, trusted, _ = made.write(path)
        rows[name] = (ChainServer(made), trusted, parts)
    together(check, rows)
