"""The rules for pull secrets, against what their consumers publish.

tests/pull-secrets has the documents, and `verdicts` what is said of each: a row for a rule and a
document that breaks or keeps it.
"""

import json
import re
import shlex
import shutil
import subprocess
from collections import defaultdict

import pytest
from conftest import CANARY, SECRET, TESTS, auth, pull_secret
from consumers import CONSUMERS, refuses

FOLDER = TESTS / "pull-secrets"
ROWS = [line.split() for line in (FOLDER / "verdicts").read_text().splitlines()
        if not line.startswith("#")]
NAMES = [consumer.__name__ for consumer in CONSUMERS]
SAID = {"E": 3, "w": 0, ".": 0}
WARNING = "\nwarning: line "
COMMAND = re.compile(r": ((?:jq|sed|base64) .*?)\)?\n?$")


def documents():
    """Each document with its verdicts, the rules that it breaks, and whether it is strict."""
    verdicts, broken, strict = {}, defaultdict(set), set()
    for rule, how, name, verdict, *more in ROWS:
        assert verdicts.setdefault(name, verdict) == verdict, name
        if how == "breaks":
            broken[name].add(rule)
        if more == ["strict"]:
            strict.add(name)
    return verdicts, broken, strict


VERDICTS, BROKEN, STRICT = documents()


def rows_of_the_program():
    """Its own table: name, level, who refuses, who misreads, text."""
    source = (TESTS.parent / "src/job/pullsecret_rules.h").read_text()
    source = re.sub(r"/\*.*?\*/|\\\n", "", source, flags=re.S)
    sets = {name: one for one, name in enumerate(map(str.upper, NAMES))}
    sets = {name: {one} for name, one in sets.items()} | {"0": set()}
    for name, words in re.findall(r"#define (\w+) \((.*)\)", source):
        sets[name] = set().union(*(sets[word] for word in words.split(" | ")))
    for name, level, *readers, text in re.findall(
            r'\bROW\((\w+), (\w+), ([\w |]+), ([\w |]+),\s*"([^"]*)"\)', source):
        yield name, level, *(set().union(*(sets[word] for word in one.split(" | ")))
                             for one in readers), text


def rules():
    """Name to text."""
    found, last = {}, ""
    for name, *_, text in rows_of_the_program():
        last = found[name] = text or last
    return found


def check(run, name, *options):
    result = run("validate", *options, FOLDER / f"{name}.json")
    assert CANARY not in result.out + result.err
    return result


@pytest.mark.parametrize("name", sorted(VERDICTS))
def test_each_verdict_is_that_of_the_consumer(run, name):
    """Of all, and of each alone; a message for each rule that is broken."""
    text = (FOLDER / f"{name}.json").read_bytes()
    said = []
    for verdict, options in zip(VERDICTS[name], [[], *(["--profile", one] for one in NAMES)],
                                strict=True):
        result = check(run, name, *options)
        assert result.code == SAID[verdict], (options, result.err)
        assert (WARNING in result.out) == (verdict == "w"), (options, result.out)
        said.append(result.out + result.err)
    if name in STRICT:
        assert VERDICTS[name][0] == "E"
    else:
        refused = [refuses(consumer, text) for consumer in CONSUMERS]
        assert refused == [verdict == "E" for verdict in VERDICTS[name][1:]]
        # What breaks a node or an operator is an error; the MCO reads it for image builds only.
        assert VERDICTS[name][0] == "E" or not any(
            no for no, one in zip(refused, NAMES, strict=True) if one != "mco")
        assert VERDICTS[name][0] != "." or not any(refused)
    for rule in BROKEN[name] - {"JSON"}:
        assert any(rules()[rule] in one for one in said), rule


def test_each_rule_is_kept_and_broken():
    for rule in ["JSON", *rules()]:
        if rule != "REQUIRED":  # has no document of its own
            assert {how for row, how, *_ in ROWS if row == rule} == {"keeps", "breaks"}, rule
    for place, name in enumerate(NAMES, 1):
        lenient = [verdict[place] for one, verdict in VERDICTS.items() if one not in STRICT]
        assert "E" in lenient and {".", "w"} & set(lenient), name
    assert {path.stem for path in FOLDER.glob("*.json")} == set(VERDICTS)


def test_each_rule_has_each_of_its_consumers():
    """A document on which that consumer breaks, or misbehaves, and one on which it does not."""
    for rule, level, refuse, misread, _ in rows_of_the_program():
        verdicts = {how: [VERDICTS[name] for row, one, name, *_ in ROWS if (row, one) == (rule, how)]
                    for how in ("breaks", "keeps")}
        if level == "ALWAYS":
            continue
        for place in refuse | misread:
            wanted = "E" if place in refuse else "Ew"
            assert any(one[1 + place] in wanted for one in verdicts["breaks"]), (rule, place)
            assert any(one[1 + place] != "E" for one in verdicts["keeps"]), (rule, place)


SHAPES = [name for name in sorted(VERDICTS) if name.startswith("shape-")]


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_named_with_the_command_that_mends_it(run, name, tmp_path):
    """And the command does."""
    result = check(run, name)
    assert result.code == 3
    if name == "shape-stub":
        assert "(a stub, as Docker Desktop writes" in result.err
        assert "podman login --authfile FILE REGISTRY)" in result.err
        return
    if name == "shape-echo":
        assert result.err.endswith("printf %s USER:PASSWORD | base64 -w0)\n")
        return
    command = COMMAND.search(result.err)[1]
    if not shutil.which("jq") and "jq" in command:
        pytest.skip("needs jq")
    mended = tmp_path / "mended"
    path = shlex.quote(str(FOLDER / f"{name}.json"))
    with mended.open("wb") as file:
        subprocess.run(command.replace("FILE", path), shell=True, check=True, stdout=file,
                       env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
    assert run("validate", mended).code == 0


def test_three_levels(run):
    """`basic` is the Go program's rule; what else breaks is told, but not refused."""
    for name, basic, strict in (("json-truncated", 3, 3), ("auths-empty", 3, 3),
                                ("auths-array", 3, 3), ("entry-text", 0, 3),
                                ("auth-plain", 0, 3), ("member-other-case", 0, 3),
                                ("key-glob", 0, 3), ("plain", 0, 0)):
        result = check(run, name, "--validate", "basic")
        assert result.code == basic, name
        assert (WARNING in result.out) == (basic != strict), name
        assert run("validate", FOLDER / f"{name}.json",
                   env={"VALIDATE": "strict"}).code == strict, name
    for pair in ("installer,kubelet", "KUBELET,crio"):
        assert check(run, "shape-apart", "--profile", pair).code == 3 * ("installer" in pair)


@pytest.mark.parametrize("wanted, code", [
    ("quay.io", 0), ("quay.io,docker.io", 0), ("https://quay.io", 0), ("QUAY.io", 0),
    ("quay.io/org/app", 0), ("index.docker.io", 0), ("localhost:5000/org", 0), ("", 0),
    ("quay.io, docker.io", 2), ("quay", 3), ("a.quay.io", 3), ("quay.io.evil", 3),
    ("localhost:5000", 3), ("localhost:5000/organ", 3), ("quay.io,gcr.io", 3),
])
def test_required_registries(run, wanted, code):
    text = pull_secret(**{"quay.io": auth(), "https://index.docker.io/v1/": auth(),
                          "localhost:5000/org": auth()}).encode()
    for level in ("basic", "normal"):
        result = run("validate", "--validate", level, stdin=text, env={"REQUIRE_REGISTRY": wanted})
        assert result.code == code, result.err
        if code == 3:
            assert f": {wanted.rpartition(',')[2]} is required, but not in auths" in result.err


def test_required_registries_with_escapes(run):
    text = rb'{"auths": {"https:\/\/quay.\u0069o": {"auth": "dTpw"}}}'
    assert run("validate", "--require-registry=quay.io", stdin=text).code == 0


@pytest.mark.parametrize("option, word", [
    ("--validate=lax", "basic|normal|strict"), ("--validate=basic,strict", "basic|normal|strict"),
    ("--profile=docker", "installer|kubelet|"), ("--profile=kubelet,", None),
    ("--profile=,kubelet", "installer|kubelet|"), ("--require-registry=a b", "registries"),
])
def test_options_are_checked_first(run, job, emulator, option, word):
    text = (FOLDER / "plain.json").read_bytes()
    result = run("validate", option, stdin=text)
    assert result.code == (2 if word else 0)
    assert (word or "") in result.err
    if word:
        result = job(option)
        assert result.code == 2 and word in result.error["message"]
        assert result.error["operation"] == "validate-config"
        assert emulator.connections() == []


def test_warnings_stand_in_the_log_before_anything_is_sent(emulator, job):
    """They change nothing else."""
    text = pull_secret(**{"docker.io": auth(), "*.quay.io": auth()})
    result = job(PULL_SECRET_DATA=text)
    assert result.code == 0
    assert emulator.secretmanager.payloads(SECRET) == [text.encode()]
    warnings = [line for line in result.log if line["level"] == "warning"]
    assert [line["operation"] for line in warnings] == ["validate-pull-secret"] * 2
    assert warnings[0]["message"].startswith('pull secret: line 1, column 12, at $.auths["docker')
    assert warnings[0]["message"].endswith("; misread by kubelet")
    assert warnings[1]["message"].endswith("a wildcard in a registry; misread by crio")
    assert result.operations.index("validate-pull-secret") < result.operations.index(
        "client-initialized")
    strict = job("--validate=strict", PULL_SECRET_DATA=text)
    assert (strict.code, strict.error["operation"]) == (3, "validate-pull-secret")
    only = job("--profile=mco", PULL_SECRET_DATA=text)
    assert only.code == 0 and "warning" not in only.out


def test_the_job_takes_them_too(emulator, job):
    text = (FOLDER / "auth-plain.json").read_text()
    assert job(PULL_SECRET_DATA=text).code == 3
    assert job("--require-registry=gcr.io").code == 3
    assert emulator.connections() == []
    assert job("--validate", "basic", PULL_SECRET_DATA=text).code == 0
    assert job(PULL_SECRET_DATA=text, VALIDATE_PROFILE="mco").code == 0


def test_more_warnings_than_are_kept(run):
    text = json.dumps({"auths": {f"*.{n:x}": {"auth": auth()} for n in range(1000)}}).encode()
    lines = run("validate", stdin=text).out.splitlines()[1001:]
    assert 20 < len(lines) < 100
    assert lines[-1] == "warning: there are more warnings than these"
    value = json.loads(run("validate", "--json", stdin=text).out)
    assert [f"warning: {one}" for one in value["warnings"]] == lines
