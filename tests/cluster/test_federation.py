"""Outside GKE: the projected token of a service account, exchanged for Google's."""

import pytest

from emulator.federation import POOL
from jobs import state


@pytest.fixture
def condition(google):
    """The provider's condition, as the script `pool` makes it for a namespace."""
    def let_in(namespace):
        account = f"system:serviceaccount:{namespace}:pull-secret"
        google.federation.subjects = {account, f"{account}-delete"}
    yield let_in
    google.federation.subjects = None


def test_the_cluster_s_own_token_is_accepted(jobs, google, condition):
    """Its signature, issuer, audience and subject are checked with the cluster's keys."""
    name = jobs.namespace()
    condition(name)
    job = jobs.apply("outside-gke", namespace=name)
    assert job.finished()[0] == "Complete", job.told()
    identity = google.federation.identity(POOL, f"system:serviceaccount:{name}:pull-secret")
    assert identity in {token.identity for token in google.tokens.all()}
    assert len(google.versions(name)) == 1


def test_that_of_another_namespace_is_not(jobs, google, condition):
    condition("another")
    job = jobs.apply("outside-gke")
    assert job.finished()[1]["reason"] == "PodFailurePolicy", job.told()
    end = state(job.pods()[0])["terminated"]
    assert end["exitCode"] == 4
    assert "unauthorized_client" in end["message"]
    assert google.versions(job.cluster_id) is None
