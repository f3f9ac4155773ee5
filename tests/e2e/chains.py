"""Certificate chains, good and bad in every way: DER from here, signatures by openssl.

A certificate is made of what it says, nothing is implied, so that it can say anything.
Keys and signatures are made when they are first needed and kept for the session.
"""

import base64
import dataclasses
import hashlib
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

HOST = "secretmanager.googleapis.com"
NOW = int(time.time())
DAY = 86400

# --- DER (ITU-T X.690) -----------------------------------------------------------


def tlv(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def sequence(*contents):
    return tlv(0x30, *contents)


def integer(number):
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(dotted):
    first, second, *rest = (int(part) for part in dotted.split("."))
    out = b""
    for number in [40 * first + second, *rest]:
        digits = [number & 0x7f]
        while number := number >> 7:
            digits.append(0x80 | number & 0x7f)
        out += bytes(reversed(digits))
    return tlv(6, out)


def bits(content):
    return tlv(3, b"\0", content)


def text(string, tag=0x0c):
    return tlv(tag, string.encode())


def moment(seconds):
    """UTCTime up to 2049, GeneralizedTime after (RFC 5280 section 4.1.2.5)."""
    parts = time.gmtime(seconds)
    if parts.tm_year < 2050:
        return tlv(0x17, time.strftime("%y%m%d%H%M%SZ", parts).encode())
    return tlv(0x18, time.strftime("%Y%m%d%H%M%SZ", parts).encode())


def name(common, organization="Chains", tag=0x0c):
    """A Name of an organization and a common name; bytes are one already."""
    if isinstance(common, bytes):
        return common
    return sequence(*(tlv(0x31, sequence(oid(kind), text(value, tag)))
                      for kind, value in (("2.5.4.10", organization),
                                          ("2.5.4.3", common))))


# --- extensions ------------------------------------------------------------------

EXTENSIONS = {"bc": "2.5.29.19", "ku": "2.5.29.15", "eku": "2.5.29.37",
              "san": "2.5.29.17", "nc": "2.5.29.30", "policy": "2.5.29.36",
              "unknown": "1.3.6.1.4.1.55555.1"}
CRITICAL = ("bc", "ku")
SERVER_AUTH, CLIENT_AUTH, ANY_USAGE = (
    "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0")


@dataclass(frozen=True)
class Critical:
    """The value of an extension that is critical, where that is unusual."""

    value: bytes


def authority(depth=None, ca=True):
    """basicConstraints."""
    return sequence(b"\x01\x01\xff" if ca else b"",
                    b"" if depth is None else integer(depth))


def usage(*numbers):
    """keyUsage; bit 0 is digitalSignature, bit 5 keyCertSign."""
    value = sum(0x8000 >> number for number in numbers).to_bytes(2, "big")
    value = value.rstrip(b"\0")
    unused = (value[-1] & -value[-1]).bit_length() - 1 if value else 0
    return tlv(3, bytes([unused]), value)


def purposes(*dotted):
    """extKeyUsage."""
    return sequence(*(oid(one) for one in dotted))


def dns(*names):
    """subjectAltName of host names, as text or bytes."""
    return sequence(*(tlv(0x82, one if isinstance(one, bytes) else one.encode())
                      for one in names))


def alternative(tag, value):
    """subjectAltName of one name of another kind."""
    return sequence(tlv(tag, value))


def permitted(host, tag=0xa0):
    """nameConstraints that permit a domain."""
    return sequence(tlv(tag, sequence(tlv(0x82, host.encode()))))


def excluded(host):
    """nameConstraints that exclude a domain."""
    return permitted(host, 0xa1)


# --- keys and signatures ---------------------------------------------------------

_folder = tempfile.TemporaryDirectory(prefix="chains.")
_kept = {}
PLAIN_EC = "1.2.840.10045.4.3."
PLAIN_RSA = "1.2.840.113549.1.1."
# Name: what openssl hashes with, the AlgorithmIdentifier, further options.
PSS = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest")
ALGORITHMS = {
    "ec-sha1": ("sha1", sequence(oid("1.2.840.10045.4.1"))),
    "ec-sha224": ("sha224", sequence(oid(PLAIN_EC + "1"))),
    "ec-sha256": ("sha256", sequence(oid(PLAIN_EC + "2"))),
    "ec-sha384": ("sha384", sequence(oid(PLAIN_EC + "3"))),
    "ec-sha512": ("sha512", sequence(oid(PLAIN_EC + "4"))),
    "rsa-md5": ("md5", sequence(oid(PLAIN_RSA + "4"), b"\5\0")),
    "rsa-sha1": ("sha1", sequence(oid(PLAIN_RSA + "5"), b"\5\0")),
    "rsa-sha256": ("sha256", sequence(oid(PLAIN_RSA + "11"), b"\5\0")),
    "rsa-sha384": ("sha384", sequence(oid(PLAIN_RSA + "12"), b"\5\0")),
    "rsa-sha512": ("sha512", sequence(oid(PLAIN_RSA + "13"), b"\5\0")),
    "rsa-pss": ("sha256", sequence(oid(PLAIN_RSA + "10"), sequence(
        tlv(0xa0, sequence(oid("2.16.840.1.101.3.4.2.1"))),
        tlv(0xa1, sequence(oid(PLAIN_RSA + "8"),
                           sequence(oid("2.16.840.1.101.3.4.2.1")))),
        tlv(0xa2, integer(32)))), *PSS),
    "ed25519": (None, sequence(oid("1.3.101.112"))),
    "forged": (None, sequence(oid(PLAIN_RSA + "11"), b"\5\0")),
}


def kept(make):
    """Remember what a function made of its arguments."""
    def once(*arguments):
        key = (make.__name__, *arguments)
        if key not in _kept:
            _kept[key] = make(*arguments)
        return _kept[key]
    return once


def openssl(*words, stdin=b""):
    done = subprocess.run(["openssl", *map(str, words)], input=stdin, check=False,
                          capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@kept
def key_file(key):
    """The private key of a name such as "P-256 leaf" or "rsa:2048 root e=3"."""
    kind, *options = key.split()
    path = Path(_folder.name) / f"{key.replace(' ', '-')}.key"
    if kind.startswith("rsa"):
        size = int(kind.partition(":")[2])
        words = ["-algorithm", "RSA-PSS" if "pss" in options else "RSA", "-pkeyopt",
                 f"rsa_keygen_bits:{size}"]
        if size > 4095:  # more than two primes are found faster
            words += ["-pkeyopt", "rsa_keygen_primes:4"]
        if "e=3" in options:
            words += ["-pkeyopt", "rsa_keygen_pubexp:3"]
    elif kind == "ed25519":
        words = ["-algorithm", "ED25519"]
    else:
        words = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{kind}"]
    if "explicit" in options:
        words += ["-pkeyopt", "ec_param_enc:explicit"]
    openssl("genpkey", *words, "-out", path)
    return path


@kept
def modulus(key):
    words = openssl("rsa", "-in", key_file(key), "-noout", "-modulus").decode().strip()
    return int(words.partition("=")[2], 16)


@kept
def public_key(key):
    """SubjectPublicKeyInfo. "e=1" and "e=2" are ours: no tool makes such keys."""
    for option in key.split():
        if option in ("e=1", "e=2"):
            return sequence(sequence(oid(PLAIN_RSA + "1"), b"\5\0"), bits(sequence(
                integer(modulus(key)), integer(int(option[2:])))))
    return openssl("pkey", "-in", key_file(key), "-pubout", "-outform", "DER")


@kept
def sign(tbs, key, algorithm):
    digest, _, *options = ALGORITHMS[algorithm]
    if algorithm == "forged":  # anyone can do this for e=1: s to the power of 1 is s
        info = sequence(sequence(oid("2.16.840.1.101.3.4.2.1"), b"\5\0"),
                        tlv(4, hashlib.sha256(tbs).digest()))
        size = (modulus(key).bit_length() + 7) // 8
        return b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    if algorithm == "ed25519":
        path = Path(_folder.name) / "tbs"
        path.write_bytes(tbs)
        return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key_file(key), "-in", path)
    return openssl("dgst", f"-{digest}", *options, "-sign", key_file(key), stdin=tbs)


# --- certificates ----------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """All that a certificate says; days are relative to now."""

    subject: str
    issuer: str
    key: str
    signer: str  # the key that signs
    ext: tuple  # of (name, value) in order
    days: tuple = (-10, 80)
    algorithm: str = None
    inner: str = None  # the algorithm that it names inside, if another one
    version: int = 3
    serial: int = 4711
    flip: tuple = ()  # (offset, mask) of bits to turn in the finished DER
    tail: bytes = b""

    @property
    def der(self):
        algorithm = self.algorithm or ("rsa" if self.signer.startswith("rsa")
                                       else "ec") + "-sha256"
        named = ALGORITHMS[algorithm][1]
        inner = ALGORITHMS[self.inner][1] if self.inner else named
        extensions = sequence(*(_extension(*one) for one in self.ext))
        tbs = sequence(
            tlv(0xa0, integer(self.version - 1)) if self.version > 1 else b"",
            integer(self.serial), inner, name(self.issuer),
            sequence(*(moment(NOW + round(day * DAY)) for day in self.days)),
            name(self.subject), public_key(self.key),
            tlv(0xa3, extensions) if self.ext else b"")
        whole = bytearray(sequence(tbs, named, bits(sign(tbs, self.signer, algorithm))))
        for offset, mask in self.flip:
            whole[offset] ^= mask
        return bytes(whole) + self.tail


def pem(der, label="CERTIFICATE"):
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n"


def _extension(kind, value):
    critical = kind in CRITICAL or isinstance(value, Critical)
    value = value.value if isinstance(value, Critical) else value
    return sequence(oid(EXTENSIONS[kind]), b"\x01\x01\xff" if critical else b"",
                    tlv(4, value))


LEAF = {"bc": authority(ca=False), "ku": usage(0), "eku": purposes(SERVER_AUTH),
        "san": dns(HOST)}
AUTHORITY = {"bc": authority(), "ku": usage(5, 6)}


def certificate(base, subject, key, issuer, signer, changes):
    """One certificate: extensions of base and changes (None drops one)."""
    names = {one.name for one in dataclasses.fields(Certificate)} - {"ext"}
    fields = {"subject": subject, "key": key, "issuer": issuer, "signer": signer}
    fields.update({one: changes[one] for one in changes if one in names})
    ext = {**base, **{one: changes[one] for one in changes
                      if one not in names and one != "more"}}
    rows = [(kind, value) for kind, value in ext.items() if value is not None]
    return Certificate(ext=tuple(rows + list(changes.get("more", ()))), **fields)


@dataclass
class Foreign:
    """Bytes where a certificate should be."""

    der: bytes


@dataclass
class Chain:
    """What a server sends, the key that it has, and what the client trusts."""

    sent: list
    trusted: list
    key: str
    parts: dict = field(default_factory=dict)

    def write(self, folder):
        """Write chain.pem and root.pem; returns their paths and the key's."""
        for file, rows in (("chain.pem", self.sent), ("root.pem", self.trusted)):
            (folder / file).write_text("".join(pem(row.der) for row in rows))
        return folder / "chain.pem", folder / "root.pem", key_file(self.key)


def chain(sent="leaf middle", trusted="root", leaf=None, middle=None, root=None, **more):
    """The usual chain with changes to its three certificates.

    sent and trusted name parts; more are functions of the parts that make others.
    """
    leaf, middle, root = leaf or {}, middle or {}, root or {}
    parts = {}
    parts["root"] = top = certificate(
        AUTHORITY, "Root", root.get("key", "P-256 root"), "Root",
        root.get("key", "P-256 root"), root)
    parts["middle"] = inner = certificate(
        AUTHORITY, "Middle", "P-256 middle", top.subject, top.key, middle)
    parts["leaf"] = certificate(
        LEAF, HOST, "P-256 leaf", inner.subject, inner.key, leaf)
    for one, make in more.items():
        parts[one] = make(parts)
    return Chain([parts[one] for one in sent.split()],
                 [parts[one] for one in trusted.split()], parts["leaf"].key, parts)
