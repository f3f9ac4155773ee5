"""Fixtures of the emulator's own tests: one set of certificates for all."""

import pytest

from emulator import Emulator
from emulator.driver import Driver


@pytest.fixture(scope="session")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("emulator")


@pytest.fixture
def start(directory):
    """Start an emulator with given options; stopped, and free of bugs, afterwards."""
    started = []

    def start_one(**options):
        emulator = Emulator(directory, **options).start()
        started.append(emulator)
        return emulator

    yield start_one
    for emulator in started:
        emulator.stop()
        assert emulator.crashes == []


@pytest.fixture
def emu(start):
    return start()


@pytest.fixture
def driver(emu):
    return Driver(emu)
