"""IAM policies of single secrets: kept, shown and replaced, with their etags."""

import base64
import re
import secrets as randomness

from . import errors
from .refusal import Refusal

NONE = {"etag": "ACAB"}  # what a secret without a policy shows
_ROLE = re.compile(r"(projects/[^/]+/|organizations/[0-9]+/)?roles/[A-Za-z0-9_.]+")
_MEMBER = re.compile(r"allUsers|allAuthenticatedUsers|(user|serviceAccount|group|domain|"
                     r"principal|principalSet|projectOwner|projectEditor|projectViewer|"
                     r"deleted:[a-zA-Z]+):\S+")


def shown(policy, version):
    """The policy as a caller sees it who asked for a version, 0 if for none."""
    if version not in (0, 1, 2, 3):
        raise Refusal(errors.invalid_argument("Invalid policy version."))
    value = dict(policy or NONE)
    if version < 3 and any("condition" in row for row in value.get("bindings", [])):
        # Conditions are not shown to who does not know them, only that they are there.
        value["version"] = 1
        value["bindings"] = [
            {**row, "role": row["role"] + "_withcond_" + "0" * 20} if "condition" in row
            else row for row in value["bindings"]]
        for row in value["bindings"]:
            row.pop("condition", None)
    return value


def replaced(old, new):
    """The policy that is kept after setIamPolicy."""
    given = new.get("etag")
    current = base64.b64decode((old or NONE)["etag"])
    if given and given != current:
        raise Refusal(errors.policy_changed())
    bindings = [row for row in new.get("bindings", []) if row.get("members")]
    version = new.get("version", 0)
    if version not in (0, 1, 3):
        raise Refusal(errors.invalid_argument("Invalid policy version."))
    for row in bindings:
        _check(row, version)
    value = {"version": 3 if any("condition" in row for row in bindings) else 1,
             "etag": base64.b64encode(randomness.token_bytes(8)).decode()}
    if bindings:
        value["bindings"] = bindings
    if new.get("auditConfigs"):
        value["auditConfigs"] = new["auditConfigs"]
    return value


def _check(row, version):
    if not _ROLE.fullmatch(row.get("role", "")):
        raise Refusal(errors.invalid_argument(
            f"Role {row.get('role', '')} is not supported for this resource."))
    for member in row["members"]:
        if not _MEMBER.fullmatch(member):
            raise Refusal(errors.invalid_argument(f"Invalid member: {member}"))
    if "condition" in row and version != 3:
        raise Refusal(errors.invalid_argument(
            "Policy version must be set to 3 if conditions are used."))
