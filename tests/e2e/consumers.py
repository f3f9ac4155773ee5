"""What the consumers of a pull secret refuse, by the rules that each of them publishes.

Models of their readers, after their sources. All are written in Go, whose JSON takes the last of
two equal keys and fields of a struct in any case; null leaves a field as it is.
"""

import base64
import binascii
import json
import re


class Refused(Exception):
    """The file, or the login of a registry in it, is of no use to the consumer."""


def need(condition, why):
    if not condition:
        raise Refused(why)


def read(text):
    """As encoding/json reads: strict, but for equal keys and what is no UTF-8."""
    def constant(name):
        raise Refused(name)
    try:
        return json.loads(text.decode(errors="replace"), parse_constant=constant)
    except ValueError as error:
        raise Refused(error) from None


def field(value, name):
    """A field of a struct."""
    need(isinstance(value, dict), "no object")
    found = [item for key, item in value.items() if key.lower() == name.lower()]
    return found[-1] if found else None


def struct(value, texts=(), maps=(), only=None):
    """An object whose fields have these types; `only` these with DisallowUnknownFields."""
    if value is None:
        return {}
    for name in texts:
        need(isinstance(field(value, name), str | None), name)
    for name in maps:
        entries = field(value, name)
        need(isinstance(entries, dict | None), name)
        need(all(isinstance(item, str | None) for item in (entries or {}).values()), name)
    need(only is None or {key.lower() for key in value} <= {name.lower() for name in only},
         "unknown field")
    return value


def auths_of(value):
    auths = field(value, "auths")
    need(isinstance(auths, dict | None), "auths")
    return auths or {}


def decode(text, padded=True):
    """base64.StdEncoding or RawStdEncoding, which pass over line breaks and bits left over."""
    text = text.replace("\r", "").replace("\n", "")
    need(padded or "=" not in text, "padding")
    try:
        return base64.b64decode(text if padded else text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise Refused(error) from None


def installer(value):
    """openshift/installer, pkg/validate: maps of maps; each entry has one of two keys."""
    auths = auths_of(value)
    need(auths, "auths required")
    for entry in auths.values():
        need(isinstance(entry, dict | None), "entry")
        need({"auth", "credsStore"} & set(entry or {}), "requires either auth or credsStore")


def kubelet(value):
    """kubernetes, pkg/credentialprovider: one bad entry fails the whole file."""
    struct(value, maps=["HttpHeaders"])
    for entry in auths_of(value).values():
        entry = struct(entry, texts=["username", "password", "email", "auth"])
        text = field(entry, "auth")
        if text:
            need(b":" in decode(text, text.strip().endswith("=")), "base64(username:password)")


def crio(value):
    """containers/image, pkg/docker/config: padded base64; a helper goes before auth.

    Without a colon it goes on without login.
    """
    struct(value, maps=["credHelpers"])
    for key, entry in auths_of(value).items():
        entry = struct(entry, texts=["auth", "identitytoken"])
        decode(field(entry, "auth") or "")
        host = re.sub("^https?://", "", key).partition("/")[0]
        need(host not in (field(value, "credHelpers") or {}), "its helper is asked")


def mco(value):
    """openshift/machine-config-operator, pkg/secrets: no field that it does not know."""
    need(value is not None, "null")
    struct(value, maps=["credHelpers"], only=["auths", "credHelpers", "credsStore"])
    for entry in auths_of(value).values():
        names = ["username", "password", "email", "auth"]
        struct(entry, texts=names, only=names)


def assisted(value):
    """openshift/assisted-service, internal/cluster/validations: auth, where it is, is right."""
    auths = auths_of(value)
    need(auths, "auths")
    for entry in auths.values():
        need(isinstance(entry, dict | None), "entry")
        if "auth" in (entry or {}):
            need(isinstance(entry["auth"], str), "auth")
            need(not entry["auth"] or b":" in decode(entry["auth"]), "user:password")


def insights(value):
    """openshift/insights-operator: the auth of cloud.openshift.com is a bearer token."""
    entry = auths_of(value).get("cloud.openshift.com")
    token = entry.get("auth") if isinstance(entry, dict) else None
    need(not isinstance(token, str) or not re.search("[\r\n]", token.strip()), "contains newlines")


CONSUMERS = [installer, kubelet, crio, mco, assisted, insights]


def refuses(consumer, text):
    """Whether a consumer refuses a file."""
    try:
        consumer(read(text))
    except Refused:
        return True
    return False
