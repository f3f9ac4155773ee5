"""What the tests of a cluster share: the cluster, the emulator as Google, Jobs."""

import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "e2e"), str(HERE)]

from cluster import Cluster  # noqa: E402
from emulated import Google  # noqa: E402
from jobs import Jobs  # noqa: E402

from emulator import keys  # noqa: E402

TOP = HERE.parents[1]
WORK = Path(os.environ.get("WORK", "/nonexistent"))


@pytest.fixture(scope="session")
def google():
    with Google(WORK / "google") as emulator:
        yield emulator
        assert emulator.crashes == []


@pytest.fixture(scope="session")
def cluster():
    if not WORK.is_dir():
        pytest.exit("run `make cluster`: these tests need namespaces of their own", 2)
    made = Cluster(os.environ["KUBERNETES"], os.environ["IMAGES"].split(":"), WORK / "cluster",
                   TOP / "build/cluster/logs", os.environ["CLUSTER_CGROUP"])
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def jobs(cluster, google):
    """Google knows the cluster's keys as the script `pool` has them from there."""
    issuer = cluster.get("/.well-known/openid-configuration")["issuer"]
    google.federation.issuers[issuer] = keys.key_set(cluster.get("/openid/v1/jwks"))
    return Jobs(cluster, google, WORK)
