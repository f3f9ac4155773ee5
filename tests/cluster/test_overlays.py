"""Every overlay: admitted where the restricted standard is enforced, and run to its end.

Those for a list of clusters are in test_fleet.py.
"""

import pytest
from proxyserver import ProxyServer

from cluster import NODE_ADDRESS, Failed
from emulated import ADDRESSES, NAMES
from jobs import OVERLAYS, PROXY_PORT, PULL_SECRET, state

STORED = [PULL_SECRET.encode()]
STORING = [name for name in OVERLAYS if not name.endswith(("-delete", "-fleet"))]
DELETING = [name for name in OVERLAYS if name.endswith("-delete")]


@pytest.fixture(scope="module")
def proxy():
    places = {f"{name}.googleapis.com": (ADDRESSES[service], 443)
              for name, service in NAMES.items()}
    with ProxyServer(ports=places, listen=(NODE_ADDRESS, PROXY_PORT)) as server:
        yield server


@pytest.fixture(scope="module")
def applied(jobs, google, proxy):
    """A Job of each overlay that stores, all started at once."""
    del proxy
    return {overlay: jobs.apply(overlay) for overlay in STORING}


def admitted(job):
    """Wait for the Job's end; nothing was said about its pod, which ran."""
    assert "Warning" not in job.said
    kind, condition = job.finished()
    assert kind == "Complete", f"{condition} {job.told()}"
    (pod,) = job.pods()
    assert state(pod)["terminated"]["exitCode"] == 0
    return pod


@pytest.mark.parametrize("overlay", STORING)
def test_it_stores_the_secret(applied, google, proxy, overlay):
    job = applied[overlay]
    admitted(job)
    assert google.versions(job.cluster_id) == STORED
    if overlay.endswith("-proxy"):
        assert "secretmanager.googleapis.com:443" in proxy.targets


@pytest.mark.parametrize("overlay", DELETING)
def test_it_deletes_the_secret(applied, jobs, google, overlay):
    before = applied[overlay.removesuffix("-delete")]
    admitted(before)
    job = jobs.apply(overlay, namespace=before.namespace, JOB_NAME="delete-1")
    admitted(job)
    assert google.versions(job.cluster_id) is None


def test_the_standard_is_enforced(jobs, cluster):
    """What has no security context is no pod there."""
    with pytest.raises(Failed, match="violates PodSecurity"):
        cluster.kubectl("-n", jobs.namespace(), "run", "any", "--image=localhost/pause:1")
