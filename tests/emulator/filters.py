"""Filters of lists (AIP-160): AND, OR, NOT, parentheses, and comparisons.

OR binds more strongly than AND there; terms side by side are joined by AND.
"""

import re

from . import moments, protojson

MAPS = ("labels", "annotations", "versionAliases")
_TOKEN = re.compile(r"""\s*(?:
    (?P<sign>[()]|<=|>=|!=|[:=<>])
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | (?P<minus>-)(?=[A-Za-z(])
    | (?P<word>[^\s()":=<>!]+)
    )""", re.VERBOSE)
_VALUE = re.compile(r"""\s*(?P<word>[^\s()":=<>!][^\s()"]*)""")  # may hold colons, as times do
MAX_LENGTH = 2000


class BadFilter(Exception):
    """Not a filter, or one with a field that does not exist."""


def compiled(text, fields):
    """A function from a resource in JSON to whether the filter takes it.

    fields are the names of its members that may be asked for.
    """
    parser = _Parser(_tokens(text), fields)
    if not parser.tokens:
        return lambda resource: True
    test = parser.expression()
    if parser.tokens:
        raise BadFilter(text)
    return test


def _tokens(text):
    if len(text) > MAX_LENGTH:
        raise BadFilter("too long")
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        after = found and found[-1][0] == "sign" and found[-1][1] not in "()"
        match = (after and _VALUE.match(text, at)) or _TOKEN.match(text, at)
        if not match:
            raise BadFilter(text)
        kind = match.lastgroup
        value = match[kind]
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value)
        if kind == "word" and value in ("AND", "OR", "NOT"):
            kind = value
        found.append((kind, value))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens, fields):
        self.tokens = tokens
        self.fields = fields

    def next_is(self, kind, value=None):
        return bool(self.tokens) and self.tokens[0][0] == kind and (
            value is None or self.tokens[0][1] == value)

    def take(self, *kinds):
        if not self.tokens or self.tokens[0][0] not in kinds:
            raise BadFilter("unexpected end")
        return self.tokens.pop(0)[1]

    def expression(self):
        tests = [self.factor()]
        while self.tokens and not self.next_is("sign", ")"):
            if self.next_is("AND"):
                self.take("AND")
            tests.append(self.factor())
        return lambda resource: all(test(resource) for test in tests)

    def factor(self):
        tests = [self.term()]
        while self.next_is("OR"):
            self.take("OR")
            tests.append(self.term())
        return lambda resource: any(test(resource) for test in tests)

    def term(self):
        if self.next_is("NOT") or self.next_is("minus"):
            self.take("NOT", "minus")
            test = self.term()
            return lambda resource: not test(resource)
        if self.next_is("sign", "("):
            self.take("sign")
            test = self.expression()
            if self.take("sign") != ")":
                raise BadFilter("no parenthesis")
            return test
        return self.restriction()

    def restriction(self):
        field = self.take("word", "quoted")
        if not self.next_is("sign") or self.tokens[0][1] in "()":
            return lambda resource: _has("name", field)(resource)  # a bare word
        sign, value = self.take("sign"), self.take("word", "quoted")
        top, _, below = field.partition(".")
        top = protojson.camel(top)
        if top not in self.fields:
            raise BadFilter(field)
        path = top + ("." + below if below else "")
        if sign == ":":
            return _has(path, value)
        return _compared(path, sign, value)


def _values(resource, path):
    """All values at a path; members of lists count each."""
    name, _, below = path.partition(".")
    if isinstance(resource, list):
        return [value for item in resource for value in _values(item, path)]
    if not isinstance(resource, dict):
        return []
    found = resource.get(name, resource.get(protojson.camel(name)))
    if found is None:
        return []
    if not below:
        return found if isinstance(found, list) else [found]
    if name in MAPS:
        return [found[below]] if below in found else []
    return _values(found, below)


def _has(path, wanted):
    """The operator ":": a member of a map, a part of a text, or anything for *."""
    def test(resource):
        values = _values(resource, path)
        if wanted == "*":
            return bool(values)
        return any(wanted in value if isinstance(value, dict)
                   else wanted.lower() in str(value).lower() for value in values)
    return test


def _compared(path, sign, wanted):
    def test(resource):
        return any(_holds(str(value), sign, wanted) for value in _values(resource, path))
    if sign == "!=":
        return lambda resource: not any(
            str(value) == wanted for value in _values(resource, path))
    return test


def _holds(value, sign, wanted):
    if sign == "=":
        return value == wanted
    try:
        value, wanted = moments.seconds_of(value), moments.seconds_of(wanted)
    except ValueError:
        pass
    return {"<": value < wanted, ">": value > wanted, "<=": value <= wanted,
            ">=": value >= wanted}[sign]
