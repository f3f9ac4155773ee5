"""Output that nobody takes: it blocks no run beyond its time, and hides no signal."""

import json
import signal

import pytest
from conftest import stuck, until, waits

COMMANDS = {
    "help": (["run-job", "pull-secret", "--help"], 1),
    "version": (["version"], 1),
    "no-applet": (["nonsense"], 2),
    "usage": (["run-job", "pull-secret", "--nonsense"], 2),
    "token": (["token", "stray"], 2),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_both_outputs_on_one_full_pipe(run, full_pipe, name):
    words, code = COMMANDS[name]
    assert run(*words, stdout=full_pipe, stderr=full_pipe).code == code


def test_a_job_ends_at_its_time(emulator, job, full_pipe, tmp_path):
    path = tmp_path / "result.json"
    result = job(stdout=full_pipe, stderr=full_pipe, RESULTS_PATH=path, MAX_WAIT_TIME_SECONDS=1)
    assert result.code == 1
    assert json.loads(path.read_text())["status"] == "failure"
    assert emulator.connections() == []


def test_a_signal_ends_a_job(emulator, job, full_pipe, tmp_path):
    path = tmp_path / "result.json"
    process = job.start(stdout=full_pipe, stderr=full_pipe, RESULTS_PATH=path)
    until(lambda: waits(process))
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait().code != 0
    assert json.loads(path.read_text())["status"] == "failure"
    assert emulator.connections() == []


def start_until_one_waits(run, output):
    """Start help again and again until it finds no room for all that it says."""
    for _ in range(50):
        process = run.start("run-job", "pull-secret", "--help", stdout=output, stderr=output)
        until(lambda: process.popen.poll() is not None or stuck(process))
        if process.popen.poll() is None:
            return process
        assert process.wait().code == 0
    pytest.fail("there is always room")


@pytest.mark.parametrize("where", ["full_pipe", "unread_terminal"])
def test_a_signal_ends_an_applet(run, request, where):
    process = start_until_one_waits(run, request.getfixturevalue(where))
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait().code == 143


def test_an_applet_at_a_terminal_does_not_wait_for_ever(run, unread_terminal):
    assert start_until_one_waits(run, unread_terminal).wait().code == 1
