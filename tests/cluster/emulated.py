"""The emulator where Google is: at its names, ports and addresses, for everybody in here."""

import subprocess

from nameserver import NameServer

from cluster import DNS
from emulator import Emulator
from emulator.locations import LOCATIONS, host_of

METADATA = "169.254.169.254"
# Those of private.googleapis.com.
ADDRESSES = {"secretmanager": "199.36.153.8", "oauth": "199.36.153.9",
             "federation": "199.36.153.10", "resourcemanager": "199.36.153.11",
             "metadata": METADATA}
NAMES = {"oauth2": "oauth", "sts": "federation", "iamcredentials": "federation",
         "cloudresourcemanager": "resourcemanager", "secretmanager": "secretmanager"}
PROJECT = "my-project"


class Google(Emulator):
    """Also answers for its names; `asked` is what the name server was asked."""

    def __init__(self, folder):
        for address in ADDRESSES.values():
            subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
        super().__init__(folder, projects=(PROJECT,), addresses=ADDRESSES,
                         ports={service: 443 for service in ADDRESSES} | {"metadata": 80})
        zone = {f"{name}.googleapis.com": [ADDRESSES[service]] for name, service in NAMES.items()}
        zone |= {host_of(location): [ADDRESSES["secretmanager"]] for location in LOCATIONS}
        zone["metadata.google.internal"] = [METADATA]
        self._names = NameServer(zone, DNS)

    def __enter__(self):
        self._names.__enter__()
        return super().__enter__()

    def __exit__(self, *problem):
        super().__exit__(*problem)
        self._names.__exit__()

    def versions(self, cluster_id):
        """The payloads of a cluster's secret; None if there is no such secret."""
        name = f"hyperfleet-{cluster_id}-pull-secret"
        for secret in self.secretmanager.store.secrets.values():
            if secret.name.endswith(f"/{name}"):
                return [version.data for version in secret.versions]
        return None
