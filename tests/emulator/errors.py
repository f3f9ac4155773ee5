"""Google's error replies, ready made: API, OAuth, metadata server, front end."""

import html as _html
import json

from .near import near as _near
from .wire import Reply, json_bytes

NUMBER = "123456789012"
SERVICE = "secretmanager.googleapis.com"
METHOD = "google.cloud.secretmanager.v1.SecretManagerService."
TROUBLESHOOTER = "https://console.cloud.google.com/iam-admin/troubleshooter/summary"
CONSOLE = "https://console.developers.google.com/"

API_HEADERS = (
    ("Content-Type", "application/json; charset=UTF-8"),
    ("Vary", "Origin"),
    ("Vary", "X-Origin"),
    ("Vary", "Referer"),
    ("Server", "ESF"),
    ("Cache-Control", "private"),
    ("X-XSS-Protection", "0"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Content-Type-Options", "nosniff"),
)
OAUTH_HEADERS = (
    ("Pragma", "no-cache"),
    ("Expires", "Mon, 01 Jan 1990 00:00:00 GMT"),
    ("Cache-Control", "no-cache, no-store, max-age=0, must-revalidate"),
    ("Content-Type", "application/json; charset=utf-8"),
    ("Vary", "Origin"),
    ("Vary", "X-Origin"),
    ("Vary", "Referer"),
    ("Server", "scaffolding on HTTPServer2"),
    ("X-XSS-Protection", "0"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Content-Type-Options", "nosniff"),
)
HTML_HEADERS = (
    ("Content-Type", "text/html; charset=UTF-8"),
    ("Referrer-Policy", "no-referrer"),
)
METADATA_HEADERS = (
    ("Metadata-Flavor", "Google"),
    ("Server", "Metadata Server for VM"),
    ("X-XSS-Protection", "0"),
    ("X-Frame-Options", "SAMEORIGIN"),
)

HTTP_OF = {
    "CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400,
    "DEADLINE_EXCEEDED": 504, "NOT_FOUND": 404, "ALREADY_EXISTS": 409,
    "PERMISSION_DENIED": 403, "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 400,
    "ABORTED": 409, "OUT_OF_RANGE": 400, "UNIMPLEMENTED": 501, "INTERNAL": 500,
    "UNAVAILABLE": 503, "DATA_LOSS": 500, "UNAUTHENTICATED": 401,
}


# --- API errors: the google.rpc.Status envelope -----------------------------------


def api(status, message, details=(), headers=(), code=None):
    """Build an error of the API; details are google.rpc messages."""
    code = HTTP_OF[status] if code is None else code
    error = {"code": code, "message": message, "status": status}
    if details:
        error["details"] = list(details)
    body = json_bytes({"error": error})
    return Reply(code, body, API_HEADERS + tuple(headers))


def error_info(reason, metadata, domain="googleapis.com"):
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": reason, "domain": domain, "metadata": metadata}


def help_link(description, url):
    return {"@type": "type.googleapis.com/google.rpc.Help",
            "links": [{"description": description, "url": url}]}


def localized(message):
    return {"@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US", "message": message}


def retry_info(delay):
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def bad_request(field, description):
    violation = {"field": field, "description": description}
    if not field:
        del violation["field"]
    return {"@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [violation]}


def wrapped(reply):
    """The same error inside a one-element array, as some front ends send it."""
    return reply.with_json([json.loads(reply.body)])


def credentials_missing(method=METHOD + "AddSecretVersion"):
    message = ("Request is missing required authentication credential. Expected "
               "OAuth 2 access token, login cookie or other valid authentication "
               "credential. See https://developers.google.com/identity/sign-in/web/"
               "devconsole-project.")
    info = error_info("CREDENTIALS_MISSING", {"service": SERVICE, "method": method})
    challenge = 'Bearer realm="https://accounts.google.com/"'
    return api("UNAUTHENTICATED", message, [info], [("WWW-Authenticate", challenge)])


def credentials_invalid(reason="ACCESS_TOKEN_TYPE_UNSUPPORTED",
                        method=METHOD + "AddSecretVersion"):
    message = ("Request had invalid authentication credentials. Expected OAuth 2 "
               "access token, login cookie or other valid authentication credential. "
               "See https://developers.google.com/identity/sign-in/web/"
               "devconsole-project.")
    info = error_info(reason, {"service": SERVICE, "method": method})
    challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
    return api("UNAUTHENTICATED", message, [info], [("WWW-Authenticate", challenge)])


def token_expired(method=METHOD + "AddSecretVersion"):
    return credentials_invalid("ACCESS_TOKEN_EXPIRED", method)


def scope_insufficient(method=METHOD + "AddSecretVersion"):
    info = error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                      {"service": SERVICE, "method": method})
    challenge = ('Bearer realm="https://accounts.google.com/", '
                 'error="insufficient_scope", '
                 'scope="https://www.googleapis.com/auth/cloud-platform"')
    return api("PERMISSION_DENIED",
               "Request had insufficient authentication scopes.", [info],
               [("WWW-Authenticate", challenge)])


def permission_denied(permission="secretmanager.versions.add"):
    """The text of 2026, which no longer names the resource."""
    url = f"{TROUBLESHOOTER};errorId=6fd1c9b0a3e84c11"
    message = (f"Permission '{permission}' denied on resource (or it may not exist). "
               "Remediate access with this Troubleshooter URL or share it with your "
               f"administrator - {url} .")
    info = error_info(
        "IAM_PERMISSION_DENIED",
        {"permission": permission, "error_info_id": "6fd1c9b0a3e84c11",
         "troubleshooter_url": url},
        "iam.googleapis.com")
    return api("PERMISSION_DENIED", message, [info])


def permission_denied_old(permission="secretmanager.versions.add",
                          resource="projects/test-project/secrets/s"):
    """The text until 2025: it names the resource and has no details."""
    return api("PERMISSION_DENIED",
               f"Permission '{permission}' denied for resource '{resource}' "
               "(or it may not exist).")


def service_disabled(number=NUMBER, service=SERVICE, title="Secret Manager API"):
    url = f"{CONSOLE}apis/api/{service}/overview?project={number}"
    message = (f"{title} has not been used in project {number} before or "
               f"it is disabled. Enable it by visiting {url} then retry. If you "
               "enabled this API recently, wait a few minutes for the action to "
               "propagate to our systems and retry.")
    info = error_info("SERVICE_DISABLED", {
        "service": service, "serviceTitle": title,
        "consumer": f"projects/{number}", "containerInfo": str(number),
        "activationUrl": url})
    link = help_link("Google developers console API activation", url)
    return api("PERMISSION_DENIED", message, [info, localized(message), link])


def quota_project_required():
    """User credentials without a quota project; names gcloud's own project."""
    message = ("Your application is authenticating by using local Application Default "
               f"Credentials. The {SERVICE} API requires a quota project, which is "
               "not set by default. To learn how to set your quota project, see "
               "https://cloud.google.com/docs/authentication/adc-troubleshooting/"
               "user-creds .")
    info = error_info("SERVICE_DISABLED", {
        "service": SERVICE, "consumer": "projects/764086051850"})
    return api("PERMISSION_DENIED", message, [info])


def user_project_denied(project="quota-project"):
    url = f"{CONSOLE}iam-admin/iam/project?project={project}"
    message = (f"Caller does not have required permission to use project {project}. "
               "Grant the caller the roles/serviceusage.serviceUsageConsumer role, or "
               "a custom role with the serviceusage.services.use permission, by "
               f"visiting {url} and then retry. Propagation of the new permission may "
               "take a few minutes.")
    info = error_info("USER_PROJECT_DENIED", {
        "service": SERVICE, "consumer": f"projects/{project}"})
    return api("PERMISSION_DENIED", message,
               [help_link("Google developer console IAM admin", url), info])


def consumer_invalid(project="no-such-project"):
    """A project that does not exist, or that the caller may not see."""
    message = f"Permission denied on resource project {project}."
    info = error_info("CONSUMER_INVALID", {
        "service": SERVICE, "consumer": f"projects/{project}", "containerInfo": project})
    link = help_link("Google developers console", CONSOLE.rstrip("/"))
    return api("PERMISSION_DENIED", message, [info, localized(message), link])


def billing_disabled(number=NUMBER):
    message = ("This API method requires billing to be enabled. Please enable billing "
               f"on project #{number} by visiting {CONSOLE}billing/enable?"
               f"project={number} then retry.")
    info = error_info("BILLING_DISABLED", {
        "service": SERVICE, "consumer": f"projects/{number}"})
    return api("PERMISSION_DENIED", message, [info])


def service_perimeter():
    """VPC Service Controls."""
    identifier = "q3c9vXk1n5mZ0w"
    message = ("Request is prohibited by organization's policy. "
               f"vpcServiceControlsUniqueIdentifier: {identifier}")
    info = error_info("SECURITY_POLICY_VIOLATED",
                      {"service": SERVICE, "uid": identifier})
    return api("PERMISSION_DENIED", message, [info])


def tls_policy(number=NUMBER):
    """An organization forbids the TLS version; said after a good handshake."""
    message = ("Request is disallowed by organization's "
               "constraints/gcp.restrictTLSVersion constraint for "
               f"'projects/{number}' to use service '{SERVICE}' by violated TLS "
               "version `TLS_VERSION_1_2`")
    info = error_info("TLS_ORG_POLICY_VIOLATED", {
        "service": SERVICE, "consumer": f"projects/{number}"})
    return api("PERMISSION_DENIED", message, [info])


def location_policy(number=NUMBER, place="global"):
    """An organization forbids secrets in that location; global is everywhere."""
    return api("FAILED_PRECONDITION",
               "Constraint constraints/gcp.resourceLocations violated for "
               f"[orgpolicy:projects/{number}] attempting to create a secret in "
               f"[{place}].")


def quota_exceeded(number=NUMBER, retry_after=None, retry_delay=None, kind="write"):
    title = kind.capitalize()
    message = (f"Quota exceeded for quota metric '{title} requests' and limit '{title} "
               f"requests per minute' of service '{SERVICE}' for consumer "
               f"'project_number:{number}'.")
    details = [
        error_info("RATE_LIMIT_EXCEEDED", {
            "service": SERVICE, "consumer": f"projects/{number}",
            "quota_metric": f"{SERVICE}/{kind}_requests",
            "quota_limit": f"{title}RequestsPerMinutePerProject",
            "quota_limit_value": "90000" if kind == "access" else "600",
            "quota_location": "global"}),
        help_link("Request a higher quota limit.",
                  "https://cloud.google.com/docs/quota#requesting_higher_quota"),
    ]
    if retry_delay is not None:
        details.append(retry_info(retry_delay))
    return api("RESOURCE_EXHAUSTED", message, details, _retry_after(retry_after))


def unavailable(retry_after=None, retry_delay=None):
    details = [retry_info(retry_delay)] if retry_delay is not None else []
    return api("UNAVAILABLE", "The service is currently unavailable.", details,
               _retry_after(retry_after))


def internal():
    return api("INTERNAL", "Internal error encountered.")


def deadline_exceeded():
    return api("DEADLINE_EXCEEDED",
               "Deadline expired before operation could complete.")


def aborted():
    return api("ABORTED", "The operation was aborted.")


def unknown():
    return api("UNKNOWN", "Unknown error.")


def unimplemented(what="The method"):
    return api("UNIMPLEMENTED", f"{what} is not implemented by this emulator.")


def project_not_found(project="no-such-project"):
    return api("NOT_FOUND", f"Project [projects/{project}] not found.")


def secret_not_found(name=f"projects/{NUMBER}/secrets/s"):
    return api("NOT_FOUND", f"Secret [{name}] not found.")


def no_versions(name=f"projects/{NUMBER}/secrets/s"):
    return api("NOT_FOUND", f"Secret [{name}] not found or has no versions.")


def version_not_found(name=f"projects/{NUMBER}/secrets/s/versions/9"):
    return api("NOT_FOUND", f"Secret Version [{name}] not found.")


def already_exists(name=f"projects/{NUMBER}/secrets/s"):
    return api("ALREADY_EXISTS", f"Secret [{name}] already exists.")


def wrong_state(name=f"projects/{NUMBER}/secrets/s/versions/1", state="DISABLED"):
    return api("FAILED_PRECONDITION", f"Secret Version [{name}] is in {state} state.")


def etag_mismatch():
    return api("FAILED_PRECONDITION",
               "The provided etag does not match the current etag of the resource.")


def invalid_argument(message="Field [payload] is required.", details=()):
    return api("INVALID_ARGUMENT", message, details)


def policy_changed():
    return api("ABORTED", "There were concurrent policy changes. Please retry the whole "
               "read-modify-write with exponential backoff.")


def wrong_host(kind="Secret ID", name=f"projects/{NUMBER}/locations/us-east1/secrets/s",
               expected="projects/*/secrets/*"):
    """A regional name at the global host, or the other way about."""
    return invalid_argument(f"The provided {kind} [{name}] does not match the expected "
                            f"format [{expected}]")


def kms_location(kind="Automatic", location="global"):
    return invalid_argument(f"{kind} replication policy can only be configured with "
                            f"Cloud KMS keys in location [{location}].")


def kms_key_unusable(key="projects/p/locations/global/keyRings/r/cryptoKeys/k"):
    """It does not exist, or the service's own account may not use it."""
    return api("FAILED_PRECONDITION", "Permission "
               "'cloudkms.cryptoKeyVersions.useToEncrypt' denied on resource "
               f"'{key}' (or it may not exist).")


def topic_unusable(topic="projects/p/topics/t"):
    return api("FAILED_PRECONDITION", "The Secret Manager service identity cannot publish "
               f"to the topic [{topic}] (or it may not exist).")


def managed_rotation_impossible(name=f"projects/{NUMBER}/secrets/s"):
    return api("FAILED_PRECONDITION",
               f"Managed rotation is not supported for the type of Secret [{name}].")


def checksum_mismatch():
    return invalid_argument(
        "The CRC32C checksum of the payload does not match data_crc32c.")


def invalid_json(message, field=""):
    """A body that does not fit the request message. Google echoes what it got."""
    return invalid_argument(message, [bad_request(field, message)])


def malformed_json(snippet='{"payload":'):
    """Google quotes the place of the error, so a piece of the body comes back."""
    return invalid_json("Invalid JSON payload received. Unexpected token.\n"
                        f"{snippet}\n{' ' * max(len(snippet) - 1, 0)}^")


def _retry_after(value):
    return [] if value is None else [("Retry-After", str(value))]


# --- OAuth errors: {"error": "code", "error_description": ...} ---------------------


def oauth(code, error, description=None, **more):
    value = {"error": error}
    if description is not None:
        value["error_description"] = description
    value.update(more)
    return Reply(code, json_bytes(value), OAUTH_HEADERS)


def token_revoked():
    return oauth(400, "invalid_grant", "Token has been expired or revoked.")


def grant_bad_request():
    return oauth(400, "invalid_grant", "Bad Request")


def reauth_required():
    return oauth(400, "invalid_grant", "reauth related error (invalid_rapt)",
                 error_uri="https://support.google.com/a/answer/9368756",
                 error_subtype="invalid_rapt")


def account_not_found():
    return oauth(400, "invalid_grant", "Invalid grant: account not found")


def invalid_signature():
    return oauth(400, "invalid_grant", "Invalid JWT Signature.")


def invalid_timeframe():
    return oauth(400, "invalid_grant",
                 "Invalid JWT: Token must be a short-lived token (60 minutes) and in "
                 "a reasonable timeframe. Check your iat and exp values in the JWT "
                 "claim.")


def client_not_found():
    return oauth(401, "invalid_client", "The OAuth client was not found.")


def client_unauthorized():
    return oauth(401, "invalid_client", "Unauthorized")


def unauthorized_client():
    return oauth(401, "unauthorized_client", "Unauthorized")


def client_deleted():
    return oauth(401, "deleted_client", "The OAuth client was deleted.")


def invalid_scope():
    return oauth(400, "invalid_scope", "Bad Request")


def unsupported_grant_type(grant_type=""):
    return oauth(400, "unsupported_grant_type", f"Invalid grant_type: {grant_type}")


def invalid_request(description="Bad Request"):
    return oauth(400, "invalid_request", description)


def oauth_internal_failure():
    return oauth(500, "internal_failure", "Internal Error")


def oauth_unavailable(retry_after=None):
    reply = oauth(503, "temporarily_unavailable", "Service Unavailable")
    return reply.with_headers(*_retry_after(retry_after))


def error_in_success():
    """A 200 that carries an error, which is a failure all the same."""
    return oauth(200, "invalid_grant", "Token has been expired or revoked.")


# --- Metadata server errors: HTML and plain text -----------------------------------


def metadata_header_missing(path="/"):
    page = _page(403, "Forbidden", "Your client does not have permission to get URL "
                 f"<code>{_html.escape(path)}</code> from this server. Missing "
                 'required header "Metadata-Flavor": "Google"')
    return Reply(403, page, METADATA_HEADERS + HTML_HEADERS[:1])


def metadata_forwarded():
    page = _page(403, "Forbidden", "Requests with the header X-Forwarded-For are not "
                 "answered by this server.")
    return Reply(403, page, METADATA_HEADERS + HTML_HEADERS[:1])


def metadata_not_found(path="/"):
    page = _page(404, "Not Found", "The requested URL "
                 f"<code>{_html.escape(path)}</code> was not found on this server.")
    return Reply(404, page, METADATA_HEADERS + HTML_HEADERS[:1])


def metadata_text(status, text):
    headers = METADATA_HEADERS + (("Content-Type", "text/plain; charset=utf-8"),)
    return Reply(status, text.encode(), headers)


def metadata_impersonation_denied(status=403):
    """GKE Workload Identity without the IAM binding."""
    return metadata_text(
        status,
        "Unable to generate access token; IAM returned 403 Forbidden: Permission "
        "'iam.serviceAccounts.getAccessToken' denied on resource (or it may not "
        "exist).\nThis error could be caused by a missing IAM policy binding on the "
        "target IAM service account.\nFor more information, refer to the Workload "
        "Identity documentation:\n\thttps://cloud.google.com/kubernetes-engine/docs/"
        "how-to/workload-identity#authenticating_to\n")


def metadata_internal():
    return metadata_text(500, "GKE Metadata Server: Internal Server Error\n")


def metadata_unavailable():
    return metadata_text(503, "Service Unavailable\n")


def metadata_throttled():
    return metadata_text(429, "Too Many Requests\n")


# --- What front ends and proxies say in HTML ---------------------------------------


def front_end(code, title, text, headers=(), close=False):
    """A page of Google's front end."""
    return Reply(code, _page(code, title, text), HTML_HEADERS + tuple(headers), close)


def _page(code, title, text):
    return (
        "<!DOCTYPE html>\n<html lang=en>\n  <meta charset=utf-8>\n"
        '  <meta name=viewport content="initial-scale=1, minimum-scale=1, '
        'width=device-width">\n'
        f"  <title>Error {code} ({title})!!1</title>\n"
        "  <style>\n    *{margin:0;padding:0}html,code{font:15px/22px arial,sans-serif}"
        "\n  </style>\n"
        "  <a href=//www.google.com/><span id=logo aria-label=Google></span></a>\n"
        f"  <p><b>{code}.</b> <ins>That’s an error.</ins>\n"
        f"  <p>{text}  <ins>That’s all we know.</ins>\n").encode()


def html_400():
    return front_end(400, "Bad Request", "Your client has issued a malformed or "
                     "illegal request.", close=True)


def html_404(path="/"):
    return front_end(404, "Not Found", "The requested URL "
                     f"<code>{_html.escape(path)}</code> was not found on this server.")


def html_411(method="POST"):
    return front_end(411, "Length Required", f"{method} requests require a "
                     "<code>Content-length</code> header.", close=True)


def html_413():
    return front_end(413, "Request Entity Too Large", "Your client issued a request "
                     "that was too large.", close=True)


def html_431():
    return front_end(431, "Request Header Fields Too Large", "Your client issued a "
                     "request that was too large.", close=True)


def html_429():
    return front_end(429, "Too Many Requests", "We're sorry, but you have sent too "
                     "many requests to us recently.")


def html_500():
    return front_end(500, "Server Error", "The server encountered an error and could "
                     "not complete your request.")


def html_502():
    return front_end(502, "Server Error", "The server encountered a temporary error "
                     "and could not complete your request.<p>Please try again in 30 "
                     "seconds.")


def html_503(retry_after=None):
    return front_end(503, "Service Unavailable", "The server encountered a temporary "
                     "error and could not complete your request.",
                     _retry_after(retry_after))


def proxy_forbidden():
    """A company's web filter."""
    page = (b"<html><head><title>Access Denied</title></head><body><h1>Access "
            b"Denied</h1><p>Your organization blocks this site.</body></html>\n")
    return Reply(403, page, (("Content-Type", "text/html"), ("Via", "1.1 proxy")), True)


def captive_portal():
    """A 200 that is no API reply at all."""
    return Reply(200, b"<html><body>Please sign in to the network</body></html>\n",
                 (("Content-Type", "text/html"),))


def redirect(location="https://attacker.example/", status=302):
    page = b'<HTML><HEAD><TITLE>Moved</TITLE></HEAD><BODY>Moved</BODY></HTML>\n'
    return Reply(status, page, HTML_HEADERS + (("Location", location),))


_NOT_REPLIES = ("Reply", "json_bytes", "api", "error_info", "help_link", "localized",
                "retry_info", "bad_request", "wrapped", "invalid_json", "oauth",
                "metadata_text", "front_end", "named", "names")


def names():
    """The names of the replies that can be made without arguments."""
    return sorted(name for name, value in globals().items()
                  if callable(value) and name not in _NOT_REPLIES
                  and not name.startswith("_"))


def named(name):
    """Return the reply of that name, for orders that are written as JSON."""
    if name not in names():
        raise ValueError(f"no reply named {name!r}{_near(name, names())}")
    return globals()[name]()
