"""Private keys of service accounts, and JSON Web Tokens that they signed."""

import base64
import binascii
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}")  # padding is not forbidden to all
_MAKE = {
    "RS256": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES256": ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
}


class BadToken(Exception):
    """Not a token that the key signed."""


def openssl(*words, data=b""):
    """Run openssl; returns what it printed."""
    done = subprocess.run(["openssl", *words], input=data, capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise BadToken(done.stderr.decode())
    return done.stdout


def private_key(directory, algorithm="RS256"):
    """A PKCS #8 key in PEM; made once for a directory."""
    path = Path(directory) / f"account-{algorithm}.pem"
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}.{id(path)}")
        unfinished.write_bytes(openssl(*_MAKE[algorithm]))
        unfinished.rename(path)
    return path.read_text()


def public_key(private):
    return openssl("pkey", "-pubout", data=private.encode()).decode()


def key_set(jwks):
    """The RSA keys of a JSON Web Key Set (RFC 7517, 7518 section 6.3.1), PEM by "kid"."""
    return {key["kid"]: _rsa(*(int.from_bytes(_decode(key[part]), "big") for part in "ne"))
            for key in jwks["keys"] if key["kty"] == "RSA"}


def _rsa(modulus, exponent):
    """A public key in PEM: SubjectPublicKeyInfo (RFC 3279 section 2.3.1)."""
    numbers = b"".join(_element(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))
                       for number in (modulus, exponent))
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    text = base64.encodebytes(_element(0x30, algorithm + _element(
        3, b"\0" + _element(0x30, numbers)))).decode()
    return f"-----BEGIN PUBLIC KEY-----\n{text}-----END PUBLIC KEY-----\n"


def _element(tag, content):
    """One element of DER."""
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    head = bytes([size]) if size < 128 else bytes([128 + len(octets)]) + octets
    return bytes([tag]) + head + content


def _decode(text):
    if not _BASE64URL.fullmatch(text):
        raise BadToken("not base64url")
    try:
        bare = text.rstrip("=")
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as error:
        raise BadToken(str(error)) from error


def _der(signature):
    """The form in which openssl takes a signature of 32 and 32 bytes."""
    if len(signature) != 64:
        raise BadToken("an ES256 signature has 64 bytes")
    numbers = b""
    for half in (signature[:32], signature[32:]):
        half = half.lstrip(b"\0")
        half = b"\0" + half if not half or half[0] & 0x80 else half
        numbers += bytes([2, len(half)]) + half
    return bytes([0x30, len(numbers)]) + numbers


def read(token):
    """Header and claims of a token, unverified (RFC 7515 section 7.1)."""
    parts = token.split(".")
    if len(parts) != 3:
        raise BadToken("not three parts")
    try:
        header, claims = (json.loads(_decode(part)) for part in parts[:2])
    except ValueError as error:
        raise BadToken(str(error)) from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise BadToken("not objects")
    return header, claims


def verify(token, algorithm, public):
    """Header and claims of a token that the key has signed, or BadToken."""
    header, claims = read(token)
    if header.get("alg") != algorithm or header.get("typ", "JWT") != "JWT":
        raise BadToken(f"unexpected header {header}")
    signed, _, signature = token.rpartition(".")
    signature = _decode(signature)
    if algorithm == "ES256":
        signature = _der(signature)
    with tempfile.TemporaryDirectory() as folder:
        key, data = Path(folder) / "key", Path(folder) / "signature"
        key.write_text(public)
        data.write_bytes(signature)
        openssl("dgst", "-sha256", "-verify", str(key), "-signature", str(data),
                data=signed.encode())
    return header, claims


def signed(private, key_id, claims):
    """A token with these claims, RS256."""
    header = {"alg": "RS256", "kid": key_id, "typ": "JWT"}
    text = ".".join(_encode(json.dumps(part, separators=(",", ":")).encode())
                    for part in (header, claims))
    with tempfile.NamedTemporaryFile("w") as key:
        key.write(private)
        key.flush()
        signature = openssl("dgst", "-sha256", "-sign", key.name, data=text.encode())
    return f"{text}.{_encode(signature)}"


def _encode(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
