"""Subject tokens of AWS: requests to its STS that are signed and never sent (SigV4)."""

import hashlib
import hmac
import json
import re
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, unquote_plus, urlsplit

TOKEN_TYPE = "urn:ietf:params:aws:token-type:aws4_request"
SKEW = 900
_HOST = re.compile(r"sts(?:\.([a-z0-9-]+))?\.amazonaws\.com")
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/sts/aws4_request, ?"
                     r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")
_NEEDED = {"host", "x-amz-date"}  # Python's client leaves the audience unsigned


def verified(subject_token, audience, secrets, now):
    """The id of the access key that signed it for the audience, or None.

    secrets are the keys by id: (secret, session token or None).
    """
    try:
        value = json.loads(unquote_plus(subject_token))
        fields = {str(row["key"]).lower(): str(row["value"]) for row in value["headers"]}
        url = urlsplit(value["url"])
        match = _SIGNED.fullmatch(fields.pop("authorization", ""))
        sent = datetime.strptime(fields["x-amz-date"], "%Y%m%dT%H%M%SZ")
    except (KeyError, TypeError, ValueError):
        return None
    if not match or match[1] not in secrets or value.get("method") != "POST":
        return None
    names = match[4].split(";")
    host = _HOST.fullmatch(url.netloc)
    secret, session = secrets[match[1]]
    needed = _NEEDED | ({"x-amz-security-token"} if session else set())
    if (not host or host[1] not in (None, match[3]) or fields.get("host") != url.netloc
            or fields["x-goog-cloud-target-resource"] != audience
            or fields.get("x-amz-security-token") != session
            or not needed <= set(names) or not set(names) <= set(fields)
            or dict(parse_qsl(url.query)).get("Action") != "GetCallerIdentity"
            or abs(sent.replace(tzinfo=timezone.utc).timestamp() - now) > SKEW):
        return None
    signature = signed(secret, match[2], match[3], url, names, fields)
    return match[1] if hmac.compare_digest(signature, match[5]) else None


def signed(secret, day, region, url, names, fields):
    """The signature of a POST without a body."""
    query = "&".join(sorted(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}"
                            for name, value in parse_qsl(url.query)))
    lines = "".join(f"{name}:{fields[name].strip()}\n" for name in names)
    request = "\n".join(("POST", url.path or "/", query, lines, ";".join(names),
                         hashlib.sha256(b"").hexdigest()))
    scope = f"{day}/{region}/sts/aws4_request"
    text = "\n".join(("AWS4-HMAC-SHA256", fields["x-amz-date"], scope,
                      hashlib.sha256(request.encode()).hexdigest()))
    key = ("AWS4" + secret).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()
