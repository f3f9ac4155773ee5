"""A matrix of certificate chains: each chain that must be refused has one that must be
accepted and differs in nothing else. RFC 5280, RFC 6125."""

import chains
import pytest
from chains import (ANY_USAGE, AUTHORITY, CLIENT_AUTH, HOST, LEAF, SERVER_AUTH, Critical,
                    Foreign, alternative, authority, certificate, chain, dns, excluded,
                    permitted, purposes, sequence, tlv, usage)
from conftest import until
from tlsserver import (HANDSHAKE, SUITES, TlsServer, certificates, handshake,
                       is_client_hello, record, server_hello)

from emulator.certificates import Certificates

CODE_SIGNING = "1.3.6.1.5.5.7.3.3"
LOOPBACK = b"\x7f\0\0\1"
RSA_ROOT = {"key": "rsa:2048 root"}
RSA_MIDDLE = {"key": "rsa:2048 middle"}


# --- chains that depend on one value ---------------------------------------------


def second_root(_parts):
    return certificate(AUTHORITY, "Second", "P-256 second", "Second", "P-256 second", {})


def namesake(_parts):
    """A root with the name of the real one and another key."""
    return certificate(AUTHORITY, "Root", "P-256 second", "Root", "P-256 second", {})


def leaf(field):
    """Chains whose leaf has a given value in one field; None leaves it out."""
    return lambda value: chain(leaf={field: value})


def middle(field):
    return lambda value: chain(middle={field: value})


def root(field):
    """Another root is trusted too, or a bad one would leave no root at all."""
    return lambda value: chain(root={field: value}, trusted="root other",
                               other=second_root)


def sent(parts):
    return chain(sent=parts, other=second_root)


def trusted(parts):
    return chain(trusted=parts, other=second_root, namesake=namesake)


def by_root(value):
    """A leaf right below the root, or as if it were; value is issuer and signer."""
    return chain(sent="leaf", leaf=dict(zip(("issuer", "signer"), value)))


def rsa_signed_middle(algorithm):
    return chain(root=RSA_ROOT, middle={"algorithm": algorithm})


def rsa_signed_leaf(algorithm):
    return chain(middle=RSA_MIDDLE, leaf={"algorithm": algorithm})


def middle_key_and_its_signature(value):
    key, algorithm = value
    return chain(middle={"key": key}, leaf={"algorithm": algorithm})


def root_key_and_its_signature(value):
    key, algorithm = value
    return chain(root={"key": key}, middle={"algorithm": algorithm}, trusted="root other",
                 other=second_root)


def below(count, order=1, limit=None):
    """So many intermediates, sent from the leaf up or the other way; limit is the path
    length that the highest allows."""
    made = chain()
    above, between = made.parts["root"], []
    for number in range(count):
        changes = {"bc": authority(limit)} if number == 0 else {}
        above = certificate(AUTHORITY, f"CA {number}", "P-256 middle", above.subject,
                            above.key, changes)
        between.insert(0, above)
    last = certificate(LEAF, HOST, "P-256 leaf", above.subject, above.key, {})
    made.sent = [last, *between[::order]]
    return made


def below_a_leaf(constraints):
    """The holder of one certificate signs another one with it."""
    made = chain(leaf={"subject": "host.example", "san": dns("host.example"),
                       "ku": usage(0, 5), "bc": constraints})
    forged = certificate(LEAF, HOST, "P-256 forged", "host.example", "P-256 leaf", {})
    made.sent = [forged, made.parts["leaf"], made.parts["middle"]]
    made.key = forged.key
    return made


def below_a_pinned_leaf(constraints):
    """The same, and the first certificate is trusted by itself."""
    made = below_a_leaf(constraints)
    made.trusted = made.sent[1:2]
    made.sent = made.sent[:1]
    return made


def pinned(names):
    return chain(sent="leaf", trusted="leaf", leaf={"san": names})


def middle_of_version(version):
    """Extensions came with version 3."""
    bare = {} if version == 3 else {"bc": None, "ku": None}
    return chain(middle={"version": version, **bare})


def first(replace):
    """The bytes of the first certificate, as a function changes them."""
    made = chain()
    made.sent[0] = Foreign(replace(made.sent[0].der))
    return made


def second(replace):
    made = chain()
    made.sent[1] = Foreign(replace(made.sent[1].der))
    return made


def whole(der):
    return der


def critical_byte(value):
    """A critical extKeyUsage, whose "critical" is then written as another true."""
    made = chain(leaf={"eku": Critical(purposes(SERVER_AUTH))})
    signed = made.sent[0].der
    at = signed.index(chains.oid("2.5.29.37")) + 7
    assert signed[at - 2:at + 1] == b"\1\1\xff"
    made.sent[0] = Foreign(signed[:at] + bytes([value]) + signed[at + 1:])
    return made


def spelled(organization, common):
    """A Name in PrintableStrings, where others are in UTF8Strings."""
    return chains.name(common, organization, 0x13)


# --- the matrix ------------------------------------------------------------------

NAMES = dns(HOST)
DAYS = (-10, 80)
PLAIN = "ec-sha256"
UNSUPPORTED_KEY = "has a key of a kind that is not supported"
UNSUPPORTED = "uses an algorithm or key size that is not supported"
NO_CA = "is signed by one that is no certification authority"
MALFORMED = "its certificate is malformed"
UNUSABLE = "(1, 0 expired, 1 unusable)"

# What makes the chain, the value that is right, the one that is wrong, the message.
MATRIX = {
    # The name in the URL must be one of the certificate's (RFC 6125 section 6.4).
    "other-name": (leaf("san"), NAMES, dns("other.example"), "other names: other.example"),
    "several-other-names": (leaf("san"), dns("a.example", HOST), dns("a.example", "b.c"),
                            "other names: a.example, b.c"),
    "name-below": (leaf("san"), NAMES, dns(f"a.{HOST}"), "other names"),
    "name-above": (leaf("san"), NAMES, dns("googleapis.com"), "other names"),
    "name-longer": (leaf("san"), NAMES, dns(f"{HOST}.evil.example"), "other names"),
    "name-longer-in-front": (leaf("san"), NAMES, dns(f"evil{HOST}"), "other names"),
    "name-shorter": (leaf("san"), NAMES, dns(HOST[:-1]), "other names"),
    "common-name-only": (leaf("san"), NAMES, None, "no DNS name in subjectAltName"),
    "address-only": (leaf("san"), sequence(tlv(0x87, LOOPBACK), tlv(0x82, HOST.encode())),
                     alternative(0x87, LOOPBACK), "no DNS name"),
    "mail-only": (leaf("san"), NAMES, alternative(0x81, f"a@{HOST}".encode()),
                  "no DNS name"),
    "uri-only": (leaf("san"), NAMES, alternative(0x86, f"https://{HOST}/".encode()),
                 "no DNS name"),
    "nul-in-name": (leaf("san"), NAMES, dns(f"{HOST}\0.evil.example"),
                    f"other names: {HOST}?.evil.example"),
    "nul-before-name": (leaf("san"), NAMES, dns(f"evil.example\0{HOST}"), "other names"),
    "nul-after-name": (leaf("san"), NAMES, dns(f"{HOST}\0"), "other names"),
    "dot-at-end": (leaf("san"), NAMES, dns(f"{HOST}."), "other names"),
    "space-at-end": (leaf("san"), NAMES, dns(f"{HOST} "), "other names"),
    "letter-that-folds": (leaf("san"), NAMES, dns(HOST.replace("s", "\u017f")),
                          "other names: ??ecretmanager"),
    "empty-name": (leaf("san"), NAMES, dns(""), "other names"),
    # A star stands for the first label, alone and whole (RFC 6125 section 6.4.3).
    "star-for-two": (leaf("san"), dns("*.googleapis.com"), dns("*.com"), "names: *.com"),
    "star-for-none": (leaf("san"), dns("*.googleapis.com"), dns(f"*.{HOST}"), "names: *."),
    "star-alone": (leaf("san"), dns("*.googleapis.com"), dns("*"), "names: *"),
    "star-and-dot": (leaf("san"), dns("*.googleapis.com"), dns("*."), "names: *."),
    "star-after": (leaf("san"), dns("*.googleapis.com"), dns("secret*.googleapis.com"),
                   "names: secret*"),
    "star-before": (leaf("san"), dns("*.googleapis.com"), dns("*manager.googleapis.com"),
                    "names: *manager"),
    "star-inside": (leaf("san"), dns("*.googleapis.com"), dns("secretmanager.*.com"),
                    "names: secretmanager.*"),
    "two-stars": (leaf("san"), dns("*.googleapis.com"), dns("*.*.com"), "names: *.*"),
    # Validity, of every certificate up to the root (RFC 5280 section 6.1.3).
    "expired": (leaf("days"), (-10, 0.1), (-10, -0.1), "its certificate expired at"),
    "future": (leaf("days"), (-0.1, 80), (0.1, 80), "its certificate is not valid before"),
    "expired-middle": (middle("days"), (-10, 0.1), (-10, -0.1),
                       "an intermediate certificate expired at"),
    "future-middle": (middle("days"), (-0.1, 80), (0.1, 80),
                      "an intermediate certificate is not valid before"),
    "expired-root": (root("days"), (-10, 0.1), (-10, -0.1), "(1, 1 expired, 0 unusable)"),
    "future-root": (root("days"), (-0.1, 80), (0.1, 80), "(1, 1 expired, 0 unusable)"),
    # The path must lead to a root that is trusted.
    "unknown-root": (trusted, "root other", "other", 'the last issuer is "Root"'),
    "same-name-other-key": (trusted, "root namesake", "namesake", "no trusted root"),
    "no-middle": (sent, "leaf middle", "leaf", 'the last issuer is "Middle"'),
    "another-middle": (sent, "leaf middle other", "leaf other",
                       'no trusted root: the last issuer is "Middle"'),
    "middle-first": (sent, "leaf middle", "middle leaf", "no DNS name in subjectAltName"),
    "self-signed": (by_root, ("Root", "P-256 root"), (HOST, "P-256 leaf"),
                    f'no trusted root: the last issuer is "{HOST}"'),
    "longer-than-we-take": (below, 9, 10, "its certificate chain is larger than"),
    "far-longer": (below, 9, 40, "its certificate chain is larger than"),
    "name-spelled-otherwise": (leaf("issuer"), spelled(" CHAINS", "mIDDLE "),
                               spelled("Chains", "Middle2"), "no trusted root"),
    "root-spelled-otherwise": (middle("issuer"), spelled("chains  ", " ROOT"),
                               spelled("Chains", "Ro ot"), "no trusted root"),
    "pinned-for-another-name": (pinned, NAMES, dns("other.example"), "other names"),
    "pinned-leaf-signs": (below_a_pinned_leaf, authority(), authority(ca=False),
                          "no trusted root"),
    # Signatures: right, and made with SHA-2 by RSA (PKCS #1 v1.5) or ECDSA.
    "signature-changed": (leaf("flip"), (), ((-1, 1),), "the signature of a certificate"),
    "content-changed": (leaf("flip"), (), ((16, 1),), "the signature of a certificate"),
    "middle-changed": (middle("flip"), (), ((-1, 1),), 'the last issuer is "Root"'),
    "signed-by-another": (leaf("signer"), "P-256 middle", "P-256 second",
                          "the signature of a certificate is wrong"),
    "signed-by-itself": (leaf("signer"), "P-256 middle", "P-256 leaf",
                         "the signature of a certificate is wrong"),
    "algorithms-differ": (leaf("inner"), None, "ec-sha384", MALFORMED),
    "sha-1": (leaf("algorithm"), PLAIN, "ec-sha1", "its certificate is signed with SHA-1"),
    "sha-1-middle": (middle("algorithm"), PLAIN, "ec-sha1",
                     "an intermediate certificate is signed with SHA-1"),
    "sha-224": (leaf("algorithm"), PLAIN, "ec-sha224", UNSUPPORTED),
    "rsa-sha-1": (rsa_signed_leaf, "rsa-sha256", "rsa-sha1", "signed with SHA-1 or MD5"),
    "rsa-sha-1-middle": (rsa_signed_middle, "rsa-sha384", "rsa-sha1", "an intermediate"),
    "rsa-md5": (rsa_signed_leaf, "rsa-sha384", "rsa-md5", "signed with SHA-1 or MD5"),
    "rsa-md5-middle": (rsa_signed_middle, "rsa-sha512", "rsa-md5", "an intermediate"),
    "rsa-pss": (rsa_signed_leaf, "rsa-sha512", "rsa-pss", UNSUPPORTED),
    "ed25519-signed": (middle_key_and_its_signature, ("P-256 middle", "ec-sha256"),
                       ("ed25519 middle", "ed25519"), UNSUPPORTED),
    "forged-for-exponent-1": (root_key_and_its_signature, ("rsa:2048 root", "rsa-sha256"),
                              ("rsa:2048 root e=1", "forged"), UNUSABLE),
    # Keys: RSA of 2048 to 4096 bits, ECDSA on three named curves.
    "rsa-1024": (leaf("key"), "rsa:2048 leaf", "rsa:1024 leaf", "RSA key of 1024 bits"),
    "rsa-2040": (leaf("key"), "rsa:2048 leaf", "rsa:2040 leaf", "RSA key of 2040 bits"),
    "rsa-8192": (leaf("key"), "rsa:4096 leaf", "rsa:8192 leaf", "RSA key of 8192 bits"),
    "rsa-1024-middle": (middle("key"), "rsa:2048 middle", "rsa:1024 middle",
                        "an intermediate certificate has an RSA key of 1024 bits"),
    "rsa-8192-middle": (middle("key"), "rsa:4096 middle", "rsa:8192 leaf", UNSUPPORTED),
    "rsa-1024-root": (root("key"), "rsa:2048 root", "rsa:1024 root", UNUSABLE),
    "rsa-pss-key": (leaf("key"), "rsa:2048 leaf", "rsa:2048 leaf pss", UNSUPPORTED_KEY),
    "ed25519": (leaf("key"), "P-256 leaf", "ed25519 leaf", UNSUPPORTED_KEY),
    "p-192": (leaf("key"), "P-384 leaf", "prime192v1 leaf", UNSUPPORTED_KEY),
    "p-224": (leaf("key"), "P-256 leaf", "secp224r1 leaf", UNSUPPORTED_KEY),
    "secp256k1": (leaf("key"), "P-521 leaf", "secp256k1 leaf", UNSUPPORTED_KEY),
    "secp256k1-middle": (middle("key"), "P-521 middle", "secp256k1 middle",
                         UNSUPPORTED_KEY),
    "secp256k1-root": (root("key"), "P-521 root", "secp256k1 root", UNUSABLE),
    "explicit-curve": (leaf("key"), "P-256 leaf", "P-256 leaf explicit", UNSUPPORTED_KEY),
    # What a key is for (RFC 5280 sections 4.2.1.3, 4.2.1.9 and 4.2.1.12).
    "client-only": (leaf("eku"), purposes(CLIENT_AUTH, SERVER_AUTH), purposes(CLIENT_AUTH),
                    "its certificate is not for TLS servers (extendedKeyUsage)"),
    "code-signing": (leaf("eku"), purposes(ANY_USAGE), purposes(CODE_SIGNING),
                     "not for TLS servers"),
    "no-purpose-in-list": (leaf("eku"), None, purposes(), "not for TLS servers"),
    "client-middle": (middle("eku"), purposes(SERVER_AUTH), purposes(CLIENT_AUTH),
                      "an intermediate certificate is not for TLS servers"),
    "client-root": (root("eku"), purposes(SERVER_AUTH), purposes(CLIENT_AUTH), UNUSABLE),
    "critical-purpose": (leaf("eku"), Critical(purposes(SERVER_AUTH)),
                         Critical(purposes(CLIENT_AUTH)), "not for TLS servers"),
    "critical-purpose-middle": (middle("eku"), Critical(purposes(ANY_USAGE)),
                                Critical(purposes(CODE_SIGNING)), "not for TLS servers"),
    "critical-purpose-changed": (critical_byte, 0xff, 1, "the signature of a certificate"),
    "middle-is-no-ca": (middle("bc"), authority(), authority(ca=False), NO_CA),
    "middle-says-nothing": (middle("bc"), authority(3), None, NO_CA),
    "root-is-no-ca": (root("bc"), authority(), authority(ca=False), "no trusted root"),
    "leaf-as-ca": (below_a_leaf, authority(), authority(ca=False), NO_CA),
    "middle-may-not-sign": (middle("ku"), usage(5), usage(0, 6), "the keyUsage of a cert"),
    "root-may-not-sign": (root("ku"), usage(5), usage(0, 6), UNUSABLE),
    "leaf-may-not-sign": (leaf("ku"), usage(0, 2), usage(2), "may not sign (keyUsage)"),
    "leaf-for-agreement": (leaf("ku"), None, usage(4), "may not sign (keyUsage)"),
    "path-too-long": (lambda limit: below(3, limit=limit), 2, 1, NO_CA),
    "path-far-too-long": (lambda limit: below(2, limit=limit), 1, 0, NO_CA),
    "root-path-too-long": (root("bc"), authority(1), authority(0),
                           'longer than the root "Root" allows (pathLenConstraint)'),
    # Extensions (RFC 5280 section 4.2): no unknown critical one, none twice.
    "critical": (leaf("unknown"), b"\5\0", Critical(b"\5\0"),
                 "critical extension that is not supported"),
    "critical-middle": (middle("unknown"), b"\5\0", Critical(b"\5\0"), "critical ext"),
    "critical-policy": (middle("policy"), sequence(), Critical(sequence()), "critical ext"),
    "critical-root": (root("unknown"), b"\5\0", Critical(b"\5\0"), UNUSABLE),
    "constraints": (middle("nc"), None, Critical(permitted("example")), "name constraints"),
    "constraints-that-fit": (middle("nc"), None, Critical(permitted(HOST)),
                             "an intermediate certificate has name constraints"),
    "constraints-that-exclude": (middle("nc"), None, excluded(HOST), "name constraints"),
    "constraints-of-root": (root("nc"), None, permitted("example"), UNUSABLE),
    "names-twice": (leaf("more"), (), [("san", NAMES)], MALFORMED),
    "purposes-twice": (leaf("more"), (), [("eku", purposes(SERVER_AUTH))], MALFORMED),
    "unknown-twice": (leaf("more"), [("unknown", b"\5\0")], [("unknown", b"\5\0")] * 2,
                      MALFORMED),
    "constraints-twice": (middle("more"), (), [("bc", authority())],
                          "an intermediate certificate is malformed"),
    "twice-in-root": (root("more"), (), [("bc", authority())], UNUSABLE),
    "purposes-malformed": (leaf("eku"), None, b"\x30\5\6", "not for TLS servers"),
    "usage-malformed": (leaf("ku"), None, b"\3\5\0", "may not sign"),
    "names-malformed": (leaf("san"), NAMES, NAMES[:-1], "no DNS name"),
    # The form of a certificate and of the list of them.
    "version-1": (middle_of_version, 3, 1, NO_CA),
    "version-1-extended": (leaf("version"), 3, 1, MALFORMED),
    "version-2-extended": (leaf("version"), 3, 2, MALFORMED),
    "version-4": (leaf("version"), 3, 4, MALFORMED),
    "large": (leaf("san"), dns(*(f"h{n}.example" for n in range(6400)), HOST),
              dns(*(f"h{n}.example" for n in range(6900)), HOST),
              "is larger than this program takes (10 certificates, 102400 bytes)"),
    "bytes-after": (leaf("tail"), b"", b"\0", MALFORMED),
    "another-tag": (leaf("flip"), (), ((0, 1),), MALFORMED),
    "indefinite-length": (leaf("flip"), (), ((1, 2),), MALFORMED),
    "garbage": (first, whole, lambda der: bytes(range(256)), MALFORMED),
    "garbage-for-middle": (second, whole, lambda der: b"\xff" * 300,
                           "an intermediate certificate is malformed"),
    "cut": (first, whole, lambda der: der[:-1], MALFORMED),
    "no-bytes": (first, whole, lambda der: b"", MALFORMED),
    "pem": (first, whole, lambda der: chains.pem(der).encode(), MALFORMED),
    "no-certificate": (sent, "leaf middle", "", "it broke the TLS protocol"),
}


# Further chains that must be accepted.
def google():
    """P-256 below RSA-2048 below RSA-4096."""
    return chain(middle=RSA_MIDDLE, root={"key": "rsa:4096 root"})


def cross_signed(trusted="root"):
    """The root is sent too, signed by an older one, as Google does."""
    made = chain(middle=RSA_MIDDLE, root={"key": "rsa:4096 root"}, trusted=trusted,
                 old=lambda _: certificate(AUTHORITY, "Old", "rsa:2048 old", "Old",
                                           "rsa:2048 old", {}))
    cross = certificate(AUTHORITY, "Root", "rsa:4096 root", "Old", "rsa:2048 old", {})
    made.sent.append(cross)
    return made


ACCEPTED = {
    "google": google,
    "cross-signed": cross_signed,
    "cross-signed-old-root": lambda: cross_signed("old"),
    "all-rsa": lambda: chain(leaf={"key": "rsa:2048 leaf"}, middle=RSA_MIDDLE,
                             root=RSA_ROOT),
    "rsa-3072": lambda: chain(leaf={"key": "rsa:3072 leaf"}),
    "p-384": lambda: chain(leaf={"key": "P-384 leaf"}, root={"key": "P-384 root"},
                           middle={"algorithm": "ec-sha384"}),
    "p-521-root": lambda: chain(root={"key": "P-521 root"},
                                middle={"algorithm": "ec-sha512"}),
    "leaf-twice": lambda: sent("leaf leaf middle"),
    "all-twice": lambda: sent("leaf middle leaf middle"),
    "root-before-middle": lambda: sent("leaf root middle"),
    "another-between": lambda: sent("leaf other middle"),
    "order-turned": lambda: below(3, -1),
    "root-sent-too": lambda: sent("leaf middle root"),
    "much-after-the-root": lambda: sent("leaf middle" + 40 * " other"),
    "middle-trusted": lambda: chain(sent="leaf", trusted="middle"),
    "name-in-any-case": lambda: chain(leaf={"san": dns(HOST.title())}),
    "another-common-name": lambda: chain(leaf={"subject": "something else"}),
    "says-nothing-of-authority": lambda: chain(leaf={"bc": None}),
    "middle-without-key-usage": lambda: chain(middle={"ku": None}),
    "root-for-a-century": lambda: chain(root={"days": (-10, 36500)}),
    "long-serial": lambda: chain(leaf={"serial": 2**158}),
}


# --- the two sides ----------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("chains")


@pytest.fixture
def connect(start_job):
    """Run a job against what is at a port, with the roots that a chain trusts."""
    def run(emulator, port, roots, **variables):
        return start_job(emulator)(
            "--connect-to", f"127.0.0.1:{port}", SECRET_MANAGER_ENDPOINT=f"https://{HOST}",
            SSL_CERT_FILE=roots, **variables)

    return run


known_as_good = set()


@pytest.fixture
def accept(start_emulator, connect, folder):
    """A whole run with a chain must succeed; once is enough for each chain."""
    def check(made):
        identity = (*(one.der for one in made.sent), b"", *(one.der for one in made.trusted))
        if identity in known_as_good:
            return
        sent, roots, key = made.write(folder)
        emulator = start_emulator(files=Certificates(*map(str, (roots, sent, key, sent,
                                                                 key))))
        result = connect(emulator, emulator.port("secretmanager"), roots)
        assert result.code == 0, result.out
        known_as_good.add(identity)

    return check


@pytest.fixture
def refuse(emulator, connect, folder):
    """At once, with one clear line, and without a byte after the ClientHello."""
    def check(made, message):
        _, roots, _ = made.write(folder)
        suite = SUITES["rsa" if made.key.startswith("rsa") else "ec"]
        answer = handshake(server_hello(suite), certificates(one.der for one in made.sent))
        with TlsServer(answer) as server:
            result = connect(emulator, server.port, roots, MAX_WAIT_TIME_SECONDS=10)
            until(lambda: server.received)
        assert result.code == 1, result.out
        assert result.warnings == [], result.out
        assert result.error["error_code"] == "UNAVAILABLE"
        assert f"cannot reach Secret Manager: {HOST}: " in result.error["message"]
        assert message in result.error["message"]
        assert result.error["hint"]
        assert [is_client_hello(said) for said in server.received] == [True]

    return check


@pytest.mark.parametrize("name", MATRIX)
def test_refused_for_one_fault_only(accept, refuse, name):
    make, right, wrong, message = MATRIX[name]
    accept(make(right))
    refuse(make(wrong), message)


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepted(accept, name):
    accept(ACCEPTED[name]())


def promised(made, ends_with):
    """The beginning of a chain of 16 MiB: the certificates, and then some bytes."""
    rows = b"".join(len(one.der).to_bytes(3, "big") + one.der for one in made.sent)
    most = 2**24 - 1
    message = (bytes([11]) + most.to_bytes(3, "big") + (most - 3).to_bytes(3, "big") + rows
               + ends_with)
    return handshake(server_hello()) + b"".join(
        record(HANDSHAKE, message[at:at + 16384]) for at in range(0, len(message), 16384))


def length(size):
    """The length of the next certificate."""
    return size.to_bytes(3, "big")


def later(made):
    """Without its first certificates, of which there are more than we take."""
    made.sent = made.sent[:10]
    return made


# What was sent when the verdict stands, and the message.
AT_ONCE = {
    "eleven": (lambda: later(below(10)), length(500), "chain is larger than"),
    "as-many-bytes": (lambda: sent("leaf"), length(102400), "chain is larger than"),
    "16-mib": (lambda: chain(sent=""), length(2**24 - 10), "chain is larger than"),
    "much-after-the-root": (lambda: sent("leaf middle" + 200 * " other"), length(102400),
                            "chain is larger than"),
    "malformed": (lambda: first(lambda der: b"x" * 300), b"", MALFORMED),
    "expired": (lambda: chain(sent="leaf", leaf={"days": (-2, -1)}), b"", "expired at"),
    "other-name": (lambda: chain(sent="leaf", leaf={"san": dns("other.example")}), b"",
                   "for other names"),
    "bad-signature": (lambda: chain(leaf={"signer": "P-256 second"}), b"",
                      "the signature of a certificate is wrong"),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_a_verdict_ends_the_handshake(emulator, connect, folder, name):
    """The server waits with the rest of its chain until the client has left."""
    make, ends_with, message = AT_ONCE[name]
    made = make()
    _, roots, _ = chain().write(folder)
    with TlsServer(promised(made, ends_with)) as server:
        result = connect(emulator, server.port, roots, MAX_WAIT_TIME_SECONDS=20)
        until(lambda: server.received)
    assert result.code == 1, result.out
    assert message in result.error["message"], result.out
    assert [is_client_hello(said) for said in server.received] == [True]


@pytest.mark.parametrize("names", [dns("127.0.0.1"), dns("*.0.0.1"),
                                   alternative(0x87, LOOPBACK)])
def test_an_address_is_no_name(emulator, start_job, folder, names):
    """Nothing is sent to a server that is named by its address."""
    made = chain(leaf={"san": names})
    _, roots, _ = made.write(folder)
    answer = handshake(server_hello(), certificates(one.der for one in made.sent))
    with TlsServer(answer) as server:
        result = start_job(emulator)(
            SECRET_MANAGER_ENDPOINT=f"https://127.0.0.1:{server.port}", SSL_CERT_FILE=roots)
        until(lambda: server.received)
    assert result.code == 1, result.out
    assert result.warnings == [], result.out
    assert ("127.0.0.1: TLS to an IP address is not supported: certificates are checked for "
            "names only") in result.error["message"]
    assert "SECRET_MANAGER_CONNECT_TO" in result.error["hint"]
    assert set(server.received) == {b""}


USELESS_ROOTS = ["expired-root", "future-root", "rsa-1024-root", "secp256k1-root",
                 "forged-for-exponent-1", "client-root", "root-may-not-sign",
                 "constraints-of-root", "critical-root", "twice-in-root"]


@pytest.mark.parametrize("name", USELESS_ROOTS)
def test_a_useless_root_alone_is_a_wrong_configuration(emulator, connect, folder, name):
    """Told before anything is sent."""
    make, _, wrong, message = MATRIX[name]
    made = make(wrong)
    made.trusted = [made.parts["root"]]
    _, roots, _ = made.write(folder)
    result = connect(emulator, 1, roots)
    assert result.code == 2
    counts = ("(1 unusable, 0 not valid at the local time, " if message == UNUSABLE else
              "(0 unusable, 1 not valid at the local time, ")
    assert f"{roots} holds no usable certificate {counts}" in result.error["message"]
    assert emulator.connections() == []
