"""Says at the end in what the containers of the tests ran."""

import pytest

RUNTIMES = pytest.StashKey()


def pytest_configure(config):
    """Nothing has run yet."""
    config.addinivalue_line("markers", "soak: takes long; `make soak` runs it")
    config.stash[RUNTIMES] = []


def pytest_terminal_summary(terminalreporter, config):
    """One line that `make check` passes on."""
    terminalreporter.write_line(
        f"note: containers ran in {' and in '.join(config.stash[RUNTIMES]) or 'nothing'}")
