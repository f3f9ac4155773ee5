"""Cloud Resource Manager: permissions on a whole project."""

import json

import pytest

ASKED = ["secretmanager.secrets.create", "secretmanager.versions.add"]


@pytest.fixture
def ask(driver):
    def post(project="test-project", token=None, path=":testIamPermissions"):
        return driver.send("resourcemanager", "POST", f"/v3/projects/{project}{path}",
                           json.dumps({"permissions": ASKED}), {
                               "Authorization": f"Bearer {token or driver.token}",
                               "Content-Type": "application/json"})
    return post


def test_what_a_caller_may(emu, ask):
    assert ask().json == ask(emu.project_number).json == {"permissions": ASKED}
    emu.iam.deny("versions.add")
    assert ask().json == {"permissions": ASKED[:1]}
    emu.resourcemanager.conditional.add(ASKED[0])
    assert ask().json == {}


def test_what_is_refused(emu, ask):
    unknown, refused = ask("other"), ask(token="x")
    assert (unknown.status, unknown.error["status"], unknown.reason) == (
        403, "PERMISSION_DENIED", None)
    assert (refused.status, refused.error["status"]) == (401, "UNAUTHENTICATED")
    assert ask(path=":setIamPolicy").status == 404
    emu.resourcemanager.disabled = True
    assert ask().reason == "SERVICE_DISABLED"
    assert "Cloud Resource Manager API" in ask().error["message"]
