"""Who may do what: a set of permissions for each identity."""

ALL = (
    "secretmanager.locations.get",
    "secretmanager.locations.list",
    "secretmanager.secrets.create",
    "secretmanager.secrets.delete",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.secrets.list",
    "secretmanager.secrets.setIamPolicy",
    "secretmanager.secrets.update",
    "secretmanager.versions.access",
    "secretmanager.versions.add",
    "secretmanager.versions.destroy",
    "secretmanager.versions.disable",
    "secretmanager.versions.enable",
    "secretmanager.versions.get",
    "secretmanager.versions.list",
    "serviceusage.services.use",
)


class Iam:
    """Everything is granted until a test takes something away.

    identity None stands for every identity that has no rule of its own.
    """

    def __init__(self):
        self._granted = {}

    def grant_all(self):
        """Forget every rule."""
        self._granted.clear()

    def grant_only(self, *permissions, identity=None):
        self._granted[identity] = {_full(name) for name in permissions}

    def grant(self, *permissions, identity=None):
        self._set_of(identity).update(_full(name) for name in permissions)

    def deny(self, *permissions, identity=None):
        self._set_of(identity).difference_update(_full(name) for name in permissions)

    def allows(self, identity, permission):
        granted = self._granted.get(identity, self._granted.get(None))
        return granted is None or permission in granted

    def _set_of(self, identity):
        default = self._granted.get(None, ALL)
        return self._granted.setdefault(identity, set(default))


def _full(name):
    """Accept versions.access for secretmanager.versions.access."""
    name = name if name in ALL else "secretmanager." + name
    if name not in ALL:
        raise ValueError(f"no such permission: {name}")
    return name
