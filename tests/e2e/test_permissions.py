"""The table of permissions in the README: exactly these are enough, and each one is needed."""

import re

import pytest
from conftest import LABELS, PULL_SECRET, SECRET, TESTS, Runner, together

README = (TESTS.parent / "README.md").read_text()
TABLE = README.partition("| for | permission |")[2].partition("\n\n")[0]
ROWS = dict(re.findall(r"^\| (.*?) \| (.*?) \|", TABLE, re.M)[1:])
OURS = PULL_SECRET.encode()
MAIN = ["versions.add", "versions.access"]
# For each row: the words, what is there before, permissions that are not its own, and
# whether what is missing is a warning only.
STORE = "run-job pull-secret "
CASES = {
    "the main job": (STORE, [b"old"], [], False),
    "where the secret does not exist yet": (STORE, None, MAIN, False),
    "`--dry-run`": (STORE + "--dry-run", [b"old"], [], False),
    "`--skip-unchanged`": (STORE + "--skip-unchanged", [OURS], [], False),
    "`--dry-run --skip-unchanged`": (STORE + "--dry-run --skip-unchanged", [OURS], [], False),
    "`--location`, `--kms-key`": (STORE + "--location=us-east1", [b"old"], MAIN, True),
    "`--require-managed`": (STORE + "--require-managed", [b"old"], MAIN, False),
    "`--sync-labels`": (STORE + "--sync-labels --label=a=b", [b"old"], MAIN, True),
    "`--keep`": (STORE + "--keep=1 --keep-age=0", [b"old"], MAIN, True),
    "`--keep --keep-action=disable`": (
        STORE + "--keep=1 --keep-age=0 --keep-action=disable", [b"old"], MAIN, True),
    "`run-job delete-pull-secret`": ("run-job delete-pull-secret", [b"old"], [], False),
    "`run-job rollback-pull-secret`": (
        "run-job rollback-pull-secret --secret-version=1", [b"old", b"new"], [], False),
    "`access`": ("access", [b"old"], [], False),
    "`versions`": ("versions", [b"old"], [], False),
    "`versions --compare FILE`": ("versions --compare=/dev/null", [b"old"], [], False),
}


def test_each_row_has_its_case():
    assert list(ROWS) == list(CASES)


@pytest.mark.parametrize("row", CASES)
def test_permissions(start_emulator, row):
    words, before, others, lenient = CASES[row]
    needed = re.findall(r"`(\w+\.\w+)`", ROWS[row])

    def run(missing):
        emulator = start_emulator()
        if before is not None:
            emulator.secretmanager.put(SECRET, *before, labels=LABELS)
        emulator.iam.grant_only(*others, *(name for name in needed if name != missing))
        variables = {"GCP_PROJECT_ID": emulator.project, "CLUSTER_ID": LABELS["cluster-id"],
                     **emulator.environment()}
        if STORE in words:
            variables["PULL_SECRET_DATA"] = PULL_SECRET
        result = Runner(emulator)(*words.split(), env=variables)
        said = result.out + result.err
        assert result.code == (4 if missing and not lenient else 0), said
        assert ("PERMISSION_DENIED" in said) == bool(missing), said
        if missing:
            assert f"secretmanager.{missing}" in said or "roles/secretmanager." in said

    assert needed
    together(run, {str(name): (name,) for name in (None, *needed)})
