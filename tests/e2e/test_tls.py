"""Servers that speak another version of TLS, refuse ours, or speak something else."""

import pytest
from conftest import Job, together, until
from tlsserver import TlsServer, alert, handshake, is_client_hello, record, server_hello

RSA_AES_128_CBC, ECDHE_ECDSA_AES_128_CBC, TLS_AES_128_GCM = 0x002f, 0xc023, 0x1301
VERSION = "it chose a version other than TLS 1.2, which this program requires"
SUITE = "it chose a cipher suite that was not offered"
NO_TLS = "it does not speak TLS on this port"
PORT = "check the port and the scheme of the URL"
ALLOW = "allow TLS 1.2"
PATH = "check what stands between here and the server"


def hello(version=0x0303, **fields):
    """A ServerHello in a record of the same version."""
    return handshake(server_hello(version=version, **fields), version=version)


# What the server says, the message, the hint.
REFUSED = {
    "ssl-3": (hello(0x0300), VERSION, ALLOW),
    "tls-1.0": (hello(0x0301), VERSION, ALLOW),
    "tls-1.1": (hello(0x0302), VERSION, ALLOW),
    "tls-1.3": (hello(0x0304), VERSION, ALLOW),
    "tls-1.1-in-1.2": (handshake(server_hello(version=0x0302)), VERSION, ALLOW),
    "static-rsa": (hello(suite=RSA_AES_128_CBC), SUITE, ALLOW),
    "cbc": (hello(suite=ECDHE_ECDSA_AES_128_CBC), SUITE, ALLOW),
    "suite-of-tls-1.3": (hello(suite=TLS_AES_128_GCM), SUITE, ALLOW),
    "no-suite": (hello(suite=0), SUITE, ALLOW),
    "compression": (hello(compression=1), "broke the TLS protocol", PATH),
    "message-out-of-order": (handshake((14, b"")), "broke the TLS protocol", PATH),
    "hello-cut-by-another": (record(22, b"\2\0\0\x2d\3\3") + alert(40),
                             "alert handshake_failure", "ECDHE and AES-GCM"),
    "data-first": (record(23, b"hello"), "broke the TLS protocol", PATH),
    # alerts (RFC 5246 section 7.2)
    "handshake-failure": (alert(40), "the server accepts none of the cipher suites, curves "
                          "or signatures that were offered", "ECDHE and AES-GCM"),
    "illegal-parameter": (alert(47), "alert illegal_parameter", PATH),
    "unknown-ca": (alert(48), "alert unknown_ca", PATH),
    "access-denied": (alert(49), "alert access_denied", PATH),
    "decode-error": (alert(50), "alert decode_error", PATH),
    "protocol-version": (alert(70), "the server refuses TLS 1.2, and this program speaks "
                         "TLS 1.2 only", ALLOW),
    "insufficient-security": (alert(71), "the server's policy refuses what was offered",
                              PATH),
    "unrecognized-name": (alert(112), "the server does not know this host name",
                          "check the host name"),
    "certificate-required": (alert(116), "asks for a client certificate", PATH),
    "no-application-protocol": (alert(120), "does not speak HTTP/1.1", PATH),
    "unknown-alert": (alert(200), "TLS handshake failed: alert 200", PATH),
    # no TLS at all
    "http": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
             f"{NO_TLS}, it answers in plain HTTP", PORT),
    "html": (b"<html><body>400</body></html>", NO_TLS, PORT),
    "ssh": (b"SSH-2.0-OpenSSH_9.2p1\r\n", NO_TLS, PORT),
    "smtp": (b"220 mail.example ESMTP\r\n", NO_TLS, PORT),
    "zeros": (bytes(64), NO_TLS, PORT),
    "like-tls": (record(22, b"\xff" * 64), "broke the TLS protocol", PATH),
}
# What a second attempt may not meet again.
RETRIED = {
    "bad-record-mac": (alert(20), "alert bad_record_mac"),
    "decrypt-error": (alert(51), "alert decrypt_error"),
    "internal-error": (alert(80), "alert internal_error"),
    "record-too-large": (record(22, b"")[:3] + b"\xff\xff", "a TLS record"),
}


def run_against(emulator, server, **variables):
    return Job(emulator)(SECRET_MANAGER_ENDPOINT=f"https://localhost:{server.port}",
                         **variables)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(emulator, name):
    """At once, with one line that says why and what to do."""
    answer, message, hint = REFUSED[name]
    with TlsServer(answer) as server:
        result = run_against(emulator, server, MAX_WAIT_TIME_SECONDS=10)
        until(lambda: server.received)
    assert result.code == 1
    assert result.warnings == [], result.out
    assert result.error["error_code"] == "UNAVAILABLE"
    assert "cannot reach Secret Manager: localhost: " in result.error["message"]
    assert message in result.error["message"]
    assert hint in result.error["hint"]
    assert [is_client_hello(said) for said in server.received] == [True]


def test_refused_in_pieces(emulator):
    """What a server says is known by its start, however slowly that comes."""
    def check(answer, message, hint):
        with TlsServer(answer, drip=0.05) as server:
            result = run_against(emulator, server, MAX_WAIT_TIME_SECONDS=20)
        assert result.code == 1
        assert message in result.error["message"]
        assert hint in result.error["hint"]

    together(check, {name: REFUSED[name] for name in (
        "tls-1.1", "handshake-failure", "unknown-alert", "http", "ssh", "zeros", "like-tls")})


def test_tried_again(emulator):
    def check(answer, message):
        with TlsServer(answer) as server:
            result = run_against(emulator, server, MAX_WAIT_TIME_SECONDS=3)
            until(lambda: len(server.received) > 1)
        assert result.code == 1
        assert message in result.warnings[0]["message"]

    together(check, RETRIED)
