"""Update masks: which members of a secret a patch replaces (AIP-134, AIP-161)."""

import copy

from . import protojson

MAPS = ("labels", "annotations", "versionAliases")


class BadPath(Exception):
    """A path that names nothing which may be changed."""


def paths_of(mask, updatable):
    """The paths as tuples; * stands for all that may be changed."""
    if mask.strip() == "*":
        return [(name,) for name in updatable]
    return [_path(text.strip()) for text in mask.split(",")]


def _path(text):
    top, _, below = text.partition(".")
    top = protojson.camel(top)
    if not below:
        return (top,)
    if top in MAPS:
        if below[0] == "`" == below[-1] and len(below) > 2:
            below = below[1:-1]
        return (top, below)
    return (top, *(protojson.camel(part) for part in below.split(".")))


def patched(old, new, paths):
    """The members of old with those of the paths taken from new."""
    result = copy.deepcopy(old)
    for path in paths:
        target, source = result, new
        for name in path[:-1]:
            target = target.setdefault(name, {})
            source = source.get(name, {})
            if not isinstance(target, dict) or not isinstance(source, dict):
                raise BadPath(".".join(path))
        target.pop(path[-1], None)
        if path[-1] in source:
            target[path[-1]] = copy.deepcopy(source[path[-1]])
    return result
