"""What a valid pull secret is: each rule refused once, and its twin accepted.

Every row runs through the job and through `validate`; both must agree.
"""

import base64
import json
import re

import pytest
from conftest import CANARY, PULL_SECRET, SECRET, auth, pull_secret


def b64(text):
    data = text if isinstance(text, bytes) else text.encode()
    return base64.b64encode(data).decode()


def entry(value):
    """A pull secret whose one entry is given."""
    return json.dumps({"auths": {"quay.io": value}})


def nested(depth):
    return PULL_SECRET[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"


def folded(text):
    """As `base64` writes it to a terminal: lines, and a break at the end."""
    return "".join(text[i:i + 20] + "\r\n" for i in range(0, len(text), 20))


GOOD = auth()
UNPADDED = b64("user:" + CANARY + "12").rstrip("=")
ACCEPTED = {
    "one": PULL_SECRET,
    "several": pull_secret(**{"quay.io": auth(), "cloud.openshift.com": auth("b"),
                              "registry.redhat.io": auth("c"), "localhost:5000": GOOD}),
    "without-email": entry({"auth": GOOD}),
    "colon-in-password": entry({"auth": b64(f"user:{CANARY}:b:c")}),
    "empty-password": entry({"auth": b64("user:")}),
    "pipe-in-user": entry({"auth": b64(f"uhc-pool|org:{CANARY}")}),
    "plus-in-user": entry({"auth": b64(f"openshift+robot:{CANARY}")}),
    "dollar-in-user": entry({"auth": b64(f"$oauthtoken:{CANARY}")}),
    "utf8-password": entry({"auth": b64(f"user:{CANARY}ü€😀")}),
    "one-pad": entry({"auth": b64(f"user:{CANARY}12")}),
    "two-pads": entry({"auth": b64(f"user:{CANARY}1")}),
    "no-pad": entry({"auth": b64(f"user:{CANARY}")}),
    "further-members": PULL_SECRET[:-1] + ', "credsStore": "x", "n": [1, null]}',
    "further-in-entry": entry({"auth": GOOD, "username": "u", "password": CANARY}),
    "pretty": json.dumps(json.loads(PULL_SECRET), indent=4),
    "escaped-key": PULL_SECRET.replace('"auths"', r'"\u0061uths"'),
    "surrogate-pair": PULL_SECRET.replace("quay.io", r"q\ud83d\ude00"),
    "utf8-key": PULL_SECRET.replace("quay.io", "qüay€😀.io"),
    "same-key-elsewhere": PULL_SECRET[:-1] + ', "x": {"auths": 1}}',
    "deep": nested(20),
    # JSON as PHP and .NET write it: \/ and \u002B in base64.
    "slash-escaped": entry({"auth": b64(b"user:\xff\xff\xff?")}).replace("/", r"\/"),
    "plus-escaped": entry({"auth": b64(b"user:\xfb\xef\xbe>")}).replace("+", r"\u002B"),
    "all-escaped": entry({"auth": ""}).replace(
        '""', '"' + "".join(f"\\u{ord(c):04x}" for c in GOOD) + '"'),
    # Go, which all consumers are written in, passes over line breaks in base64.
    "auth-newline": entry({"auth": GOOD + "\n"}),
    "auth-in-lines": entry({"auth": folded(GOOD)}),
    # Members that the kubelet and CRI-O read, as they want them.
    "members-null": entry({"auth": GOOD, "username": None, "password": None, "email": None,
                           "identitytoken": None}),
    "headers-and-helpers": PULL_SECRET[:-1] + ', "HttpHeaders": {"A": "b"}, '
                                              '"credHelpers": {"gcr.io": "gcloud"}}',
}
REFUSED = {
    # not strict JSON
    "blank": " \n\t ",
    "truncated": PULL_SECRET[:-1],
    "truncated-in-string": PULL_SECRET[:30],
    "trailing-comma": PULL_SECRET[:-1] + ",}",
    "second-value": PULL_SECRET + PULL_SECRET,
    "garbage-after": PULL_SECRET + "x",
    "single-quotes": PULL_SECRET.replace('"', "'"),
    "unquoted-key": PULL_SECRET.replace('"auths"', "auths"),
    "comment": PULL_SECRET + "// end",
    "yaml": f"auths:\n  quay.io:\n    auth: {GOOD}",
    "bad-escape": PULL_SECRET.replace("quay.io", r"quay\.io"),
    "lone-surrogate": PULL_SECRET.replace("quay.io", r"q\ud83d"),
    "raw-newline": PULL_SECRET.replace("quay.io", "quay\nio"),
    "leading-zero": PULL_SECRET[:-1] + ', "n": 01}',
    "nan": PULL_SECRET[:-1] + ', "n": NaN}',
    "too-deep": nested(100),
    "byte-order-mark": "\ufeff" + PULL_SECRET,
    "utf-16": PULL_SECRET.encode("utf-16-le"),
    "nul-inside": PULL_SECRET.replace("quay.io", "quay\0io"),
    "nul-after": PULL_SECRET + "\0",
    "invalid-utf8": PULL_SECRET.encode().replace(b"quay", b"qu\xffay"),
    "overlong-utf8": PULL_SECRET.encode().replace(b"quay", b"qu\xc0\xafay"),
    "utf8-surrogate": PULL_SECRET.encode().replace(b"quay", b"qu\xed\xa0\x80ay"),
    "utf8-cut-off": PULL_SECRET.encode()[:-1] + b"\xe2\x82",
    "twin-auths": PULL_SECRET[:-1] + f', "auths": {{"q": {{"auth": "{GOOD}"}}}}}}',
    "twin-escaped": PULL_SECRET[:-1] + r', "\u0061uths": {}}',
    "twin-registry": PULL_SECRET.replace(
        '{"quay.io"', f'{{"quay.io": {{"auth": "{GOOD}"}}, "quay.io"'),
    "twin-auth": PULL_SECRET.replace(
        '{"auth"', f'{{"\\u0061uth": "{GOOD}", "auth"'),
    "twin-elsewhere": PULL_SECRET[:-1] + ', "x": {"a": 1, "a": 1}}',
    # not the right shape
    "null": "null",
    "string": json.dumps(CANARY),
    "number": "1",
    "array": f"[{PULL_SECRET}]",
    "empty-object": "{}",
    "auths-missing": PULL_SECRET.replace('"auths"', '"auth"'),
    "auths-wrong-case": PULL_SECRET.replace('"auths"', '"Auths"'),
    "auths-null": '{"auths": null}',
    "auths-string": json.dumps({"auths": CANARY}),
    "auths-array": f'{{"auths": [{{"auth": "{GOOD}"}}]}}',
    "auths-empty": '{"auths": {}}',
    "entry-null": entry(None),
    "entry-string": entry(GOOD),
    "entry-array": entry([GOOD]),
    "entry-empty": entry({}),
    "entry-without-auth": entry({"username": "user", "password": CANARY}),
    "second-entry-bad": pull_secret(**{"a.io": auth(), "b.io": "x"}),
    "auth-null": entry({"auth": None}),
    "auth-number": entry({"auth": 1}),
    "auth-object": entry({"auth": {"user": CANARY}}),
    "auth-empty": entry({"auth": ""}),
    "auth-plain": entry({"auth": f"user:{CANARY}"}),
    "auth-unpadded": entry({"auth": UNPADDED}),
    "auth-overpadded": entry({"auth": GOOD + "===="}),
    "auth-pad-inside": entry({"auth": "dXNlcg==OnB3"}),
    "auth-bits-left": entry({"auth": "dTpwdx=="[:5] + "x=="}),
    "auth-tab": entry({"auth": GOOD + "\t"}),
    "auth-space": entry({"auth": GOOD[:8] + " " + GOOD[8:]}),
    "auth-url-safe": entry({"auth": base64.urlsafe_b64encode(b"u:\xff\xfe\xfb").decode()
                            + "-_--"}),
    "auth-no-colon": entry({"auth": b64(CANARY)}),
    "auth-no-user": entry({"auth": b64(f":{CANARY}")}),
    "auth-only-colon": entry({"auth": b64(":")}),
    # what one of the consumers stumbles over
    **{f"{name}-{kind}": entry({"auth": GOOD, name: value})
       for name in ("username", "password", "email", "identitytoken")
       for kind, value in (("number", 1), ("list", [CANARY]))},
    **{f"{name}-{kind}": PULL_SECRET[:-1] + f', "{name}": {value}}}'
       for name in ("HttpHeaders", "credHelpers")
       for kind, value in (("text", '"x"'), ("of-number", '{"gcr.io": 1}'))},
    "helper-of-a-registry": PULL_SECRET[:-1] + ', "credHelpers": {"quay.io": "x"}}',
    "helper-above-a-repository": PULL_SECRET.replace("quay.io", "https://quay.io/org")[:-1]
                                 + ', "credHelpers": {"quay.io": "x"}}',
    "case-auths": PULL_SECRET[:-1] + ', "AUTHS": {}}',
    "case-auth": entry({"auth": GOOD, "Auth": GOOD}),
    "case-email": entry({"auth": GOOD, "eMail": "x"}),
    "case-helpers": PULL_SECRET[:-1] + ', "credhelpers": {}}',
    "case-long-s": PULL_SECRET[:-1] + ', "auth\u017f": {}}',
    # The example of the Go program's README.
    "go-example": json.dumps({"auths": {"registry.redhat.io": {
        "auth": "base64-encoded-credentials", "email": "user@redhat.com"}}}),
    "whole-secret": json.dumps({"kind": "Secret", "data": {
        ".dockerconfigjson": b64(PULL_SECRET)}}),
    "in-base64": b64(PULL_SECRET),
    "old-dockercfg": json.dumps({"quay.io": {"auth": GOOD}}),
}


def text_bytes(text):
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(emulator, job, run, text):
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=text_bytes(text))
    assert result.code == 0, result.out
    assert emulator.secretmanager.payloads(SECRET) == [text_bytes(text)]
    checked = run("validate", stdin=text_bytes(text))
    assert (checked.code, checked.err) == (0, "")
    size = len(text_bytes(text))
    assert checked.out.startswith(f"valid pull secret: {size} bytes, ")


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_refused(emulator, job, run, text):
    result = job(PULL_SECRET_DATA=None, PULL_SECRET_FILE="-", stdin=text_bytes(text))
    assert result.code == 3, result.out
    assert result.error["operation"] == "validate-pull-secret"
    assert result.error["message"].startswith("invalid pull secret: ")
    assert result.error["error_code"] == "INVALID_ARGUMENT"
    assert result.stderr == b""
    assert emulator.connections() == []
    checked = run("validate", stdin=text_bytes(text))
    assert checked.code == 3
    assert checked.stdout == b""
    assert checked.err.count("\n") == 1
    # Both say the same; the applet puts its hint in parentheses.
    assert checked.err.startswith(f"pull-secret: {result.error['message']}")
    assert result.error.get("hint", "") in checked.err


def test_empty_file_is_invalid(emulator, job, run, tmp_path):
    path = tmp_path / "empty"
    path.touch()
    assert job(PULL_SECRET_DATA=None, PULL_SECRET_FILE=path).code == 3
    assert run("validate", path).code == 3
    assert emulator.connections() == []


@pytest.mark.parametrize("name, word", [
    ("whole-secret", ".dockerconfigjson"), ("in-base64", "base64"),
    ("old-dockercfg", "jq '{auths:.}' FILE"),
])
def test_usual_mixups_get_a_hint(job, name, word):
    result = job(PULL_SECRET_DATA=REFUSED[name])
    assert word in result.error["hint"]


@pytest.mark.parametrize("name, where", [
    ("auth-no-colon", "auths"), ("auths-empty", "line 1, column 11"),
    ("truncated", "line 1"), ("raw-newline", "line 1"),
    ("email-number", '$.auths["quay.io"].email: email must be a string; refused by kubelet, mco'),
    ("credHelpers-text", "$.credHelpers: credHelpers must be an object of strings; refused by crio"),
    ("helper-of-a-registry", '$.credHelpers["quay.io"]: '),
    ("case-auths", "$[key 2]: auths but for upper and lower case"),
    ("auth-tab", "auth is not padded base64"),
])
def test_messages_say_where(job, name, where):
    assert where in job(PULL_SECRET_DATA=REFUSED[name]).error["message"]


class TestValidateApplet:
    """`validate` needs neither network nor credentials nor variables."""

    @pytest.mark.parametrize("operands", [[], ["-"]], ids=["none", "dash"])
    def test_reads_standard_input(self, run, operands):
        result = run("validate", *operands, stdin=PULL_SECRET.encode() + b"\n")
        assert (result.code, result.err) == (0, "")
        assert result.out == (f"valid pull secret: {len(PULL_SECRET)} bytes, "
                              "1 registry\n  quay.io\n")

    def test_reads_a_file(self, run, tmp_path):
        path = tmp_path / "secret"
        path.write_text(ACCEPTED["several"])
        result = run("validate", path)
        assert result.code == 0
        assert re.search(r" bytes, 4 registries\n(  \S+\n){4}$", result.out)

    # Whoever writes a user into a registry's name does not see it again.
    REGISTRIES = {"registry.redhat.io": "registry.redhat.io", "localhost:5000/a": "localhost:5000/a",
                  "https://someone:hunter22@quay.io": "quay.io", "a\u202e\nb": "a\u202e\nb",
                  "r" * 300: "r" * 255}

    def test_lists_registries_and_never_users(self, run):
        auth = base64.b64encode(b"robot+someone:hunter22").decode()
        text = json.dumps({"auths": {name: {"auth": auth} for name in self.REGISTRIES}}).encode()
        shown = [name.replace("\u202e", "?").replace("\n", "?")
                 for name in self.REGISTRIES.values()]
        lines = [f"  {name}" for name in shown]
        said = run("validate", stdin=text).out.splitlines()[1:]
        assert said[:len(lines)] == lines
        result = run("validate", "--json", stdin=text)
        assert (result.code, result.err) == (0, "")
        warnings = json.loads(result.out)["warnings"]
        assert json.loads(result.out) == {"valid": True, "bytes": len(text), "registries": shown,
                                          "warnings": warnings}
        assert said[len(lines):] == [f"warning: {warning}" for warning in warnings] != []
        assert "someone" not in "".join(said)
        assert "someone" not in result.out and auth not in result.out

    def test_an_object_of_what_is_invalid(self, run):
        result = run("validate", "--json", stdin=b'{"quay.io":{"auth":"dTpw"}}')
        assert result.code == 3
        value = json.loads(result.out)
        assert (value["valid"], value["bytes"]) == (False, 27)
        assert result.err == ("pull-secret: invalid pull secret: "
                              f"{value['message']} ({value['hint']})\n")
        assert run("validate", "--json", "/nowhere").out == ""

    def test_the_largest_secret_with_the_most_registries(self, run):
        entry = '"%04x":{"auth":"YTpi"}'
        names = [entry % number for number in range(65520 // len(entry % 0 + ","))]
        text = '{"auths":{%s}}' % ",".join(names)
        result = run("validate", stdin=text.encode())
        assert result.out.count("\n") == 1 + len(names)
        result = run("validate", "--json", stdin=text.encode())
        assert len(json.loads(result.out)["registries"]) == len(names)

    def test_ignores_the_variables(self, run):
        env = {"PULL_SECRET_FILE": "/nowhere", "PULL_SECRET_DATA": "x"}
        assert run("validate", env=env, stdin=PULL_SECRET.encode()).code == 0

    @pytest.mark.parametrize("name", ["missing", "folder"])
    def test_cannot_be_read(self, run, tmp_path, name):
        (tmp_path / "folder").mkdir()
        result = run("validate", tmp_path / name)
        assert result.code == 2
        assert result.err.count("\n") == 1
        assert name in result.err

    def test_a_secret_given_as_a_file_name_is_not_shown(self, run):
        result = run("validate", PULL_SECRET)
        assert result.code == 2
        assert "quay.io" not in result.err

    @pytest.mark.parametrize("arguments", [
        ["a", "b"], ["--strict"], ["-x"], ["--file=a"], ["-", "-"],
    ], ids=" ".join)
    def test_usage_errors(self, run, arguments):
        result = run("validate", *arguments, stdin=PULL_SECRET.encode())
        assert result.code == 2
        assert result.stdout == b""
        assert result.err.count("\n") == 1
