"""HTTPS_PROXY and NO_PROXY: CONNECT through proxies of our own and through real ones."""

import os
import shutil
import ssl
import subprocess

import pytest
from conftest import (PULL_SECRET, SECRET, answers, free_port, native, needs_root,
                      pull_secret_of, until)
from nameserver import NameServer
from proxyserver import ProxyServer

from emulator.certificates import certificates

GOOGLE = "secretmanager.googleapis.com"


@pytest.fixture
def through(emulator, job):
    """Run the job with Google's name, which only a proxy can resolve."""
    def run(proxy, *flags, scheme="http", user="", **variables):
        port = emulator.port("secretmanager")
        address = proxy
        if isinstance(proxy, ProxyServer):
            host = "localhost" if scheme == "https" else "127.0.0.1"
            address = f"{scheme}://{user}{host}:{proxy.port}"
        given = {"HTTPS_PROXY": address,
                 "SECRET_MANAGER_ENDPOINT": f"https://{GOOGLE}:{port}", **variables}
        return job(*flags, **given)

    return run


def stored(emulator):
    return emulator.secretmanager.payloads(SECRET) == [PULL_SECRET.encode()]


def test_through_a_proxy(emulator, through):
    """Only the API's traffic: the metadata server is asked directly."""
    with ProxyServer() as proxy:
        result = through(proxy)
    assert result.code == 0, result.out
    assert stored(emulator)
    port = emulator.port("secretmanager")
    [head] = proxy.asked
    first, *fields = head.strip().split("\r\n")
    assert first == f"CONNECT {GOOGLE}:{port} HTTP/1.1"
    assert fields[0] == f"Host: {GOOGLE}:{port}"
    assert fields[1].startswith("User-Agent: pull-secret/")
    assert len(fields) == 2
    assert len(emulator.requests("metadata")) == 1


def test_the_largest_secret(emulator, through):
    text = pull_secret_of(65536)
    with ProxyServer() as proxy:
        assert through(proxy, PULL_SECRET_DATA=text).code == 0
    assert emulator.secretmanager.payloads(SECRET) == [text.encode()]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_reply_in_pieces(emulator, through, scheme):
    context = context_of(emulator) if scheme == "https" else None
    with ProxyServer(context=context, pieces=True) as proxy:
        result = through(proxy, scheme=scheme)
    assert result.code == 0, result.out
    assert result.warnings == []
    assert stored(emulator)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "flag", "no-scheme"])
def test_where_the_proxy_is_given(emulator, through, name):
    with ProxyServer() as proxy:
        address = f"127.0.0.1:{proxy.port}"
        if name == "flag":
            result = through(None, "--https-proxy", address, HTTPS_PROXY=None)
        elif name == "no-scheme":
            result = through(address)
        else:
            result = through(None, **{"HTTPS_PROXY": None, name: f"http://{address}"})
    assert result.code == 0, result.out
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTP_PROXY", "http_proxy"])
def test_other_variables_mean_nothing(emulator, job, name):
    """Plain http leads to the metadata server and the loopback, never to a proxy."""
    with ProxyServer() as proxy:
        assert job(**{name: f"http://127.0.0.1:{proxy.port}"}).code == 0
    assert proxy.asked == []


def test_the_token_comes_through_the_proxy_too(emulator, through, tmp_path):
    emulator.make_authorized_user(tmp_path / "adc.json")
    port = emulator.port("oauth")
    with ProxyServer() as proxy:
        result = through(proxy, GOOGLE_APPLICATION_CREDENTIALS=tmp_path / "adc.json",
                         OAUTH2_ENDPOINT=f"https://oauth2.googleapis.com:{port}")
    assert result.code == 0, result.out
    assert sorted(proxy.targets) == [f"oauth2.googleapis.com:{port}",
                                     f"{GOOGLE}:{emulator.port('secretmanager')}"]


EXCEPTIONS = {"NO_PROXY": {"NO_PROXY": "googleapis.com"},
              "no_proxy": {"no_proxy": "*.googleapis.com"},
              "star": {"NO_PROXY": "*"}}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_go_directly(through, name):
    """There is no such name here, so that the direct way fails."""
    with ProxyServer() as proxy:
        result = through(proxy, MAX_WAIT_TIME_SECONDS=1, before=["unshare", "-n"],
                         **EXCEPTIONS[name])
    assert result.code == 1
    assert proxy.asked == []


def test_an_empty_flag_overrides_its_variables(emulator, through):
    """In either case; without an exception the proxy is used, without it nothing leads there."""
    with ProxyServer() as proxy:
        address = f"http://127.0.0.1:{proxy.port}"
        for words in (["--no-proxy", ""], ["--no-proxy="]):
            assert through(proxy, *words, NO_PROXY="*", no_proxy="*").code == 0
        assert len(proxy.asked) == 2
        for name in ("HTTPS_PROXY", "https_proxy"):
            result = through(None, "--https-proxy", "", "--timeout=1",
                             **{"HTTPS_PROXY": None, name: address})
            assert result.code == 1
    assert len(proxy.asked) == 2
    assert len(emulator.secretmanager.payloads(SECRET)) == 2


def test_localhost_never_goes_through_a_proxy(emulator, job):
    with ProxyServer() as proxy:
        assert job(HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}").code == 0
    assert proxy.asked == []


def test_user_and_password(emulator, through):
    with ProxyServer(user="us er:p@ss:w%rd") as proxy:
        result = through(proxy, user="us%20er:p%40ss:w%25rd@")
    assert result.code == 0, result.out
    assert "p@ss" not in result.out


@pytest.mark.parametrize("user", ["", "user:wrongword@"])
def test_407_has_words_of_its_own(emulator, through, user):
    with ProxyServer(user="user:rightword") as proxy:
        result = through(proxy, user=user)
    assert result.code == 4
    assert result.error["error_code"] == "UNAUTHENTICATED"
    assert result.error["http_status"] == 407
    assert f"proxy 127.0.0.1:{proxy.port}" in result.error["message"]
    assert "HTTPS_PROXY" in result.error["hint"]
    assert "wrongword" not in result.out
    assert result.warnings == []


REPLIES = {
    "403": (b"HTTP/1.1 403 Forbidden\r\n\r\n", 4, "refuses the tunnel (HTTP 403)"),
    "404": (b"HTTP/1.1 404 Not Found\r\n\r\n", 1, "refuses the tunnel (HTTP 404)"),
    "redirect": (b"HTTP/1.1 302 Found\r\nLocation: https://x/\r\n\r\n", 1, "HTTP 302"),
    "502": (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 1, "refuses the tunnel (HTTP 502)"),
    "503": (b"HTTP/1.1 503 Unavailable\r\n\r\n", 1, "refuses the tunnel (HTTP 503)"),
    "403-zipped": (b"HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\n"
                   b"Content-Length: 9\r\n\r\n", 4, "refuses the tunnel (HTTP 403)"),
    "407-framed-twice": (b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n"
                         b"Transfer-Encoding: chunked\r\n\r\n", 4, "(HTTP 407)"),
    "no-http": (b"SSH-2.0-x\r\n", 1, "does not start with HTTP/"),
    "tls": (b"\x15\x03\x01\x00\x02\x02\x28", 1, "speaks TLS on this port"),
    "closed": (b"", 1, "closed without a reply"),
    "cut": (b"HTTP/1.1 200 OK\r\nA: ", 1, "cut off in its head"),
    "bare-lf": (b"HTTP/1.1 200 OK\n\n", 1, "CRLF"),
    "endless": (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 9000, 1, "larger than the limit"),
    "upgrade": (b"HTTP/1.1 101 Switching\r\n\r\n", 1, "101"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_of_a_proxy(emulator, through, name):
    reply, code, part = REPLIES[name]
    with ProxyServer(reply=reply) as proxy:
        result = through(proxy, MAX_WAIT_TIME_SECONDS=2)
    assert result.code == code, result.out
    told = result.warnings + result.errors
    assert any(part in line["message"] for line in told), result.out
    assert f"proxy 127.0.0.1:{proxy.port}" in told[0]["message"]
    assert emulator.requests("secretmanager") == []


GOOD_REPLIES = {
    "length": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "length-that-lies": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n",
    "http-1.0": b"HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n",
    "continue": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    "chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "length-and-chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                          b"Transfer-Encoding: chunked\r\n\r\n",
    "lengths-that-contradict": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                               b"Content-Length: 7\r\n\r\n",
    "length-no-number": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    "chunked-in-1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "codings": b"HTTP/1.1 299 OK\r\nTransfer-Encoding: gzip, chunked\r\n"
               b"Content-Encoding: br\r\n\r\n",
}


@pytest.mark.parametrize("name", GOOD_REPLIES)
def test_a_tunnel_has_no_body(emulator, through, monkeypatch, name):
    """RFC 9110 9.3.6: fields about a body are to be ignored."""
    def tunnel(self, client):
        class Client:
            def __getattr__(self, what):
                return getattr(client, what)

            def sendall(self, data):
                marker = b"HTTP/1.1 200 Connection established\r\n\r\n"
                client.sendall(GOOD_REPLIES[name] if data == marker else data)
        original(self, Client())

    original = ProxyServer._tunnel
    monkeypatch.setattr(ProxyServer, "_tunnel", tunnel)
    with ProxyServer() as proxy:
        assert through(proxy).code == 0
    assert stored(emulator)


def test_bytes_behind_the_reply_break_tls(emulator, through):
    with ProxyServer(after=b"HTTP/1.1 200 OK\r\n\r\n") as proxy:
        result = through(proxy, MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "does not speak TLS" in result.error["message"]


def test_a_proxy_that_never_answers(emulator, through, full_backlog):
    result = through(f"http://127.0.0.1:{full_backlog}", MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert result.error["error_code"] == "DEADLINE_EXCEEDED"


def test_a_proxy_that_is_not_there(emulator, through):
    port = free_port()
    result = through(f"http://127.0.0.1:{port}", MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert "proxy: cannot connect to 127.0.0.1" in result.error["message"]


@pytest.mark.parametrize("address", ["socks5://h:1", "ftp://h", "http://u:sesame@h:x",
                                     "http://", "http://u:sesame%@h"])
def test_wrong_addresses(emulator, through, address):
    result = through(address)
    assert result.code == 2
    assert "HTTPS_PROXY" in result.error["message"]
    assert "sesame" not in result.out
    assert emulator.connections() == []


# --- TLS to the proxy ------------------------------------------------------------


def context_of(emulator):
    files = certificates(emulator.directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    return context


@pytest.mark.parametrize("size", [None, 65536], ids=["small", "largest"])
def test_tls_to_the_proxy(emulator, through, size):
    """TLS inside TLS: not even the name of the service is in the open."""
    text = PULL_SECRET if size is None else pull_secret_of(size)
    with ProxyServer(context=context_of(emulator), user="u:p") as proxy:
        result = through(proxy, scheme="https", user="u:p@", PULL_SECRET_DATA=text)
    assert result.code == 0, result.out
    assert emulator.secretmanager.payloads(SECRET) == [text.encode()]


def test_no_tls_where_the_address_says_so(emulator, through):
    with ProxyServer() as proxy:
        result = through(proxy, scheme="https", MAX_WAIT_TIME_SECONDS=2)
    assert result.code == 1
    assert result.error["operation"] == "init-client"
    assert proxy.asked == []


def test_a_proxy_with_a_wrong_certificate(start_emulator, start_job, emulator, through):
    other = start_emulator(certificate="wrong-name")
    files = certificates(other.directory, fault="wrong-name")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.chain_file, files.key_file)
    with ProxyServer(context=context) as proxy:
        result = through(proxy, scheme="https", SSL_CERT_FILE=files.ca_file)
    assert result.code == 1
    assert "for other names" in result.error["message"]
    assert proxy.asked == []


# --- real proxies ----------------------------------------------------------------

SQUID = """
http_port 127.0.0.1:{port}
pid_filename none
access_log none
cache_log {folder}/cache.log
coredump_dir {folder}
cache deny all
shutdown_lifetime 0 seconds
hosts_file {folder}/hosts
{auth}
acl known dstdomain {google}
http_access {who} known
http_access deny all
"""
SQUID_AUTH = """
auth_param basic program /usr/lib/squid/basic_ncsa_auth {folder}/users
acl users proxy_auth REQUIRED
"""
TINYPROXY = """
Port {port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
LogFile "{folder}/log"
LogLevel Info
{auth}
"""


@pytest.fixture
def real(tmp_path):
    """Start squid or tinyproxy, to which Google is on the loopback."""
    started = []

    def start(kind, user=None):
        folder = tmp_path / kind
        folder.mkdir()
        os.chmod(folder, 0o777)
        for parent in folder.parents:
            if parent.is_relative_to("/tmp"):
                os.chmod(parent, os.stat(parent).st_mode | 0o011)
        (folder / "hosts").write_text(f"127.0.0.1 localhost {GOOGLE}\n")
        port = free_port()
        if kind == "squid":
            auth = ""
            if user:
                name, _, word = user.partition(":")
                done = subprocess.run(["openssl", "passwd", "-apr1", word], check=True,
                                      capture_output=True, text=True)
                (folder / "users").write_text(f"{name}:{done.stdout}")
                auth = SQUID_AUTH.format(folder=folder)
            text = SQUID.format(port=port, folder=folder, auth=auth, google=GOOGLE,
                                who="allow users" if user else "allow")
            words = [shutil.which("squid", path="/usr/sbin:/usr/bin"), "-N", "-f",
                     folder / "conf"]
        else:
            auth = "BasicAuth {} {}".format(*user.split(":")) if user else ""
            text = TINYPROXY.format(port=port, folder=folder, auth=auth)
            words = ["tinyproxy", "-d", "-c", folder / "conf"]
        (folder / "conf").write_text(text)
        shell = f"mount --bind {folder}/hosts /etc/hosts && exec \"$@\""
        process = subprocess.Popen(["unshare", "-m", "sh", "-c", shell, "sh", *words],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        started.append(process)
        until(lambda: answers(port) or process.poll() is not None, seconds=30)
        assert process.poll() is None, "it did not start"
        return port

    yield start
    for process in started:
        process.kill()
        process.wait()


@needs_root
@native
@pytest.mark.parametrize("kind", ["squid", "tinyproxy"])
@pytest.mark.parametrize("user", [None, "user:sesame"], ids=["open", "login"])
def test_real_proxies(emulator, through, real, kind, user):
    port = real(kind, user)
    if user:
        result = through(f"http://127.0.0.1:{port}")
        assert result.code == 4
        assert result.error["http_status"] == 407
    login = f"{user}@" if user else ""
    result = through(f"http://{login}127.0.0.1:{port}")
    assert result.code == 0, result.out
    assert stored(emulator)


@needs_root
@native
def test_a_host_that_squid_does_not_allow(through, real):
    result = through(f"http://127.0.0.1:{real('squid')}",
                     SECRET_MANAGER_ENDPOINT="https://other.example")
    assert result.code == 4
    assert "the proxy refuses the tunnel (HTTP 403)" in result.error["message"]


# --- search domains -------------------------------------------------------------------

RESOLV_CONF = "nameserver 127.0.0.53\nsearch a.example b.example\n"
NDOTS = "options ndots:3\n"
HERE = ["127.0.0.1"]

# The proxy's name, what stands in resolv.conf, who is there, what is asked for.
SEARCHED = {
    "first-domain": ("proxy", RESOLV_CONF, {"proxy.a.example": HERE}, ["proxy.a.example"]),
    "second-domain": ("proxy", RESOLV_CONF, {"proxy.b.example": HERE},
                      ["proxy.a.example", "proxy.b.example"]),
    "no-domain": ("proxy", RESOLV_CONF, {"proxy": HERE},
                  ["proxy.a.example", "proxy.b.example", "proxy"]),
    "one-domain": ("proxy", "nameserver 127.0.0.53\ndomain b.example\n",
                   {"proxy.b.example": HERE}, ["proxy.b.example"]),
    "no-list": ("proxy", "nameserver 127.0.0.53\n", {"proxy": HERE}, ["proxy"]),
    "dots-first": ("proxy.lab", RESOLV_CONF + NDOTS,
                   {"proxy.lab": HERE, "proxy.lab.a.example": "SERVFAIL"}, ["proxy.lab"]),
    "dots-then-list": ("proxy.lab", RESOLV_CONF + NDOTS, {"proxy.lab.a.example": HERE},
                       ["proxy.lab", "proxy.lab.a.example"]),
    "socks-in-name": ("socksproxy", RESOLV_CONF, {"socksproxy.a.example": HERE},
                      ["socksproxy.a.example"]),
}
# The same, with what the message and the hint say.
NOT_SEARCHED = {
    "final-dot": ("proxy.", RESOLV_CONF, {"proxy.a.example": HERE}, ["proxy"],
                  "NXDOMAIN", "check the name"),
    "ndots": ("proxy.lab", RESOLV_CONF, {"proxy.lab.a.example": HERE}, ["proxy.lab"],
              "NXDOMAIN", "check the name"),
    "enough-dots": ("a.proxy.in.lab", RESOLV_CONF + NDOTS, {}, ["a.proxy.in.lab"],
                    "NXDOMAIN", "check the name"),
    "failure-is-no-nxdomain": ("proxy.lab", RESOLV_CONF + NDOTS,
                               {"proxy.lab": "SERVFAIL", "proxy.lab.a.example": HERE},
                               ["proxy.lab"] * 2, "SERVFAIL", "/etc/resolv.conf"),
    "no-addresses-is-no-nxdomain": ("proxy.lab", RESOLV_CONF + NDOTS,
                                    {"proxy.lab": [], "proxy.lab.a.example": HERE},
                                    ["proxy.lab"], "it has no addresses", "check the name"),
    "nowhere": ("proxy", RESOLV_CONF, {},
                ["proxy.a.example", "proxy.b.example", "proxy"], "NXDOMAIN",
                "tried proxy.a.example, proxy.b.example, proxy; check the name"),
    "nowhere-with-dots": ("proxy.lab", RESOLV_CONF + NDOTS, {},
                          ["proxy.lab", "proxy.lab.a.example", "proxy.lab.b.example"],
                          "NXDOMAIN",
                          "tried proxy.lab, proxy.lab.a.example, proxy.lab.b.example; "),
}


def searching(scratch, resolv_conf, zone, **variables):
    """Run the job in a root with this resolv.conf; what it asked the name server for."""
    (scratch.root / "etc").mkdir(exist_ok=True)
    (scratch.root / "etc" / "resolv.conf").write_text(resolv_conf)
    with NameServer({GOOGLE: HERE, **zone}) as server:
        result = scratch(SECRET_MANAGER_ENDPOINT=f"https://{GOOGLE}:"
                         f"{scratch.emulator.port('secretmanager')}", **variables)
    return result, [name for _, name, kind in server.asked if kind == "A"]


@needs_root
@native
@pytest.mark.parametrize("case", SEARCHED)
def test_a_proxy_by_a_short_name(emulator, scratch, case):
    """Its name is searched for; Google's, which the proxy looks up, is not."""
    host, resolv_conf, zone, names = SEARCHED[case]
    with ProxyServer() as proxy:
        result, asked = searching(scratch, resolv_conf, zone,
                                  HTTPS_PROXY=f"{host}:{proxy.port}")
    assert result.code == 0, result.out
    assert asked == names
    assert stored(emulator)


@needs_root
@native
@pytest.mark.parametrize("case", NOT_SEARCHED)
def test_a_proxy_that_is_not_found(scratch, case):
    """What a wildcard in a search domain would get is the proxy's password."""
    host, resolv_conf, zone, names, part, hint = NOT_SEARCHED[case]
    result, asked = searching(scratch, resolv_conf, zone, MAX_WAIT_TIME_SECONDS=2,
                              HTTPS_PROXY=f"http://{host}:1")
    assert result.code == 1
    assert asked[:len(names)] == names
    assert set(asked) == set(names)
    assert f"cannot resolve {host.rstrip('.')}: " in result.error["message"]
    assert part in result.error["message"]
    assert hint in result.error["hint"]


@needs_root
@native
def test_a_private_endpoint_by_a_short_name(emulator, scratch):
    result, asked = searching(scratch, RESOLV_CONF, {"endpoint.b.example": HERE},
                              SECRET_MANAGER_CONNECT_TO="endpoint")
    assert result.code == 0, result.out
    assert asked == ["endpoint.a.example", "endpoint.b.example"]
    assert stored(emulator)


@needs_root
@native
def test_services_are_never_searched_for(scratch):
    """Neither the API nor the metadata server, whatever ndots says."""
    result, asked = searching(
        scratch, RESOLV_CONF + "options ndots:15\n", {
            GOOGLE: "NXDOMAIN", "metadata": "NXDOMAIN",
            f"{GOOGLE}.a.example": HERE, "metadata.a.example": HERE},
        GCE_METADATA_HOST="metadata", MAX_WAIT_TIME_SECONDS=3)
    assert result.code == 1
    assert set(asked) == {GOOGLE, "metadata"}
