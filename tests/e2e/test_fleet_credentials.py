"""Each worker of a fleet has a token of its own, which it renews, and reads no more than that takes."""

import fleet
import pytest
from conftest import native
from fleet import exactly, stored, task
from test_credential_types import Files

EMULATOR = {"fast": True}


def metadata(_files):
    return {}


def key(files):
    return {"GOOGLE_APPLICATION_CREDENTIALS": files.service_account()}


def federated(files):
    """By a link that Kubernetes turns to a new folder when it renews the token."""
    volume = files.folder / "volume"
    for name in ("first", "second"):
        (volume / name).mkdir(parents=True)
    (volume / "first" / "token").write_text(files.emulator.federation.subject)
    (volume / "..data").symlink_to("first")
    (volume / "token").symlink_to("..data/token")
    return {"GOOGLE_APPLICATION_CREDENTIALS": files.external_account(
        credential_source={"file": str(volume / "token")})}


def user(files):
    path = files.folder / "adc.json"
    files.emulator.make_authorized_user(path)
    return {"GOOGLE_APPLICATION_CREDENTIALS": path}


def renew(emulator, files):
    """What was issued is good no more, nor is what it was got with, if that is a file."""
    emulator.tokens.revoke_all()
    emulator.metadata.forget()
    volume = files.folder / "volume"
    if volume.exists():
        emulator.federation.subject = "renewed.subject.token"
        (volume / "second" / "token").write_text(emulator.federation.subject)
        (volume / "..new").symlink_to("second")
        (volume / "..new").rename(volume / "..data")


@native
@pytest.mark.parametrize("kind", [
    metadata, pytest.param(key, marks=pytest.mark.soak), federated, user], ids=lambda kind: kind.__name__)
def test_tokens_are_renewed(emulator, run_fleet, tmp_path, kind):
    files = Files(emulator, tmp_path / "files")
    seen = {}

    def revoke(number, _, request):
        seen[number] = request.header("Authorization")
        if number == 60:
            renew(emulator, files)

    emulator.loop.before = revoke
    result = run_fleet("--workers", 3, tasks=map(task, range(60)), **kind(files))
    assert result.code == 0, result.out
    assert stored(emulator) == exactly(range(60))
    assert len(emulator.connections("secretmanager")) == 3
    if kind is key:
        return  # it signs its tokens itself, alike in the same second
    early, late = [set(tokens) for tokens in (
        [seen[number] for number in range(1, 60)], [seen[number] for number in range(200, 240)])]
    assert early.isdisjoint(late)
    if kind is not metadata:  # whose server gives the same to everybody
        assert len(early) == 3 and len(late) > 1


@native
def test_connections_that_end(emulator, run_fleet, tmp_path):
    """A front end that restarts: each worker connects anew, and what was lost is found."""
    def drop(number, *_):
        if number % 50 == 0:
            emulator.drop_connections("secretmanager", "rst" if number % 100 else "fin")

    emulator.loop.before = drop
    flags = ("--workers", 3, "--journal", tmp_path / "journal", "--skip-unchanged")
    result = run_fleet(*flags, tasks=map(task, range(60)))
    emulator.loop.before = None
    assert result.code in (0, 1), result.out
    assert all(versions == exactly([number])[fleet.secret(number)] for number in range(60)
               for versions in [stored(emulator).get(fleet.secret(number))] if versions)
    assert run_fleet(*flags, tasks=map(task, range(60))).code == 0
    assert stored(emulator) == exactly(range(60))
    assert len(emulator.connections("secretmanager")) > 6
