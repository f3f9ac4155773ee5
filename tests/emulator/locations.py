"""Where Secret Manager is: its locations, and the host of each."""

import re

LOCATIONS = tuple(sorted("""
africa-south1 asia-east1 asia-east2 asia-northeast1 asia-northeast2 asia-northeast3
asia-south1 asia-south2 asia-southeast1 asia-southeast2 australia-southeast1
australia-southeast2 europe-central2 europe-north1 europe-north2 europe-southwest1
europe-west1 europe-west10 europe-west12 europe-west2 europe-west3 europe-west4
europe-west6 europe-west8 europe-west9 me-central1 me-central2 me-west1
northamerica-northeast1 northamerica-northeast2 northamerica-south1 southamerica-east1
southamerica-west1 us-central1 us-east1 us-east4 us-east5 us-south1 us-west1 us-west2
us-west3 us-west4
""".split()))
GLOBAL_HOST = "secretmanager.googleapis.com"
_REGIONAL = re.compile(r"secretmanager\.([a-z0-9-]+)\.rep\.googleapis\.com")


def host_of(location):
    """The only host that has the regional secrets of a location."""
    return f"secretmanager.{location}.rep.googleapis.com"


REGIONAL_HOSTS = tuple(host_of(location) for location in LOCATIONS)


def location_of(host, otherwise=None):
    """The location whose host it is, None for the global one.

    otherwise is what the loopback's names stand for.
    """
    name = host.partition(":")[0].rstrip(".").lower()
    if name == GLOBAL_HOST:
        return None
    regional = _REGIONAL.fullmatch(name)
    return regional[1] if regional else otherwise
