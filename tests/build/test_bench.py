"""What `make bench` writes is sound, and the README has it; nothing is measured here."""

import json
import re
import socket
import sys
import threading
from xml.etree import ElementTree

import pytest
from conftest import TOP, run

sys.path.insert(0, str(TOP / "tests"))

from bench import chart, experiments, lab, report  # noqa: E402

FIGURES = json.loads((TOP / "tests/bench/figures.json").read_text())
SVG = "{http://www.w3.org/2000/svg}"


def without(figures, *names):
    """As of a machine without a program, or of a program without lists."""
    text = {name: value for name, value in figures.items() if name not in names}
    for name in names:
        text = json.loads(json.dumps(text), object_hook=lambda one, name=name: {
            key: value for key, value in one.items() if key != name})
    return text


SETS = {"all": FIGURES, "no Node.js": without(FIGURES, "Node client"),
        "no lists": without(FIGURES, "fleet", "list")}


@pytest.mark.parametrize("name", SETS)
def test_tables_are_whole(name):
    for part in report.markdown(SETS[name]).split("\n\n"):
        rows = [line for line in part.splitlines() if line.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, part
        for cell in (cell for row in rows[2:] for cell in row.split("|")[2:-1]):
            assert re.match(r" \d", cell) and not re.search("nan|inf|None", cell), part


@pytest.mark.parametrize("name", SETS)
def test_chart_is_a_picture_of_its_own(name):
    text = chart.draw(SETS[name])
    root = ElementTree.fromstring(text)
    assert "prefers-color-scheme: dark" in root.find(f"{SVG}style").text
    assert not re.search(r"href|url\(|@import|@font-face|<script", text)
    width, height = map(float, root.get("viewBox").split()[2:])
    lines = root.findall(f"{SVG}polyline")
    assert len(lines) >= 3 * len(SETS[name]["ships"])
    for line in lines:
        for x, y in (map(float, point.split(",")) for point in line.get("points").split()):
            assert 0 < x < width and 0 < y < height


def test_readme_and_chart_have_the_figures():
    done = run(["scripts/bench", "--from", "tests/bench/figures.json"], TOP)
    assert done.returncode == 0, done.stdout
    readme = (TOP / "README.md").read_text()
    assert done.stdout.strip() in readme
    assert report.inserted(readme, FIGURES) == readme
    assert (TOP / "tests/bench/bench.svg").read_text() == chart.draw(FIGURES)


def test_readme_without_marks_is_refused():
    with pytest.raises(ValueError, match="has not two lines"):
        report.inserted("# pull-secret\n", FIGURES)


def test_what_is_measured_with():
    for size in experiments.PAYLOADS:
        payload = lab.pull_secret(size * 1024)
        assert len(payload) == size * 1024 and json.loads(payload)["auths"]
    own = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    for count in experiments.ROOTS:
        roots = lab.bundle(own, count).decode().split("-----BEGIN CERTIFICATE-----\n")[1:]
        assert len(roots) == len(set(roots)) == count and roots[-1] in own


def test_relay_passes_on_all_and_counts_it(tmp_path):
    """Both directions and both ends, though it keeps everything for a while."""
    sent = bytes(range(256)) * 1000
    got = []

    def serve():
        peer, _ = server.accept()
        peer.sendall(peer.recv(65536))
        while part := peer.recv(65536):
            got.append(part)
        peer.sendall(b"end")  # nobody asks for it: no round trip
        peer.close()

    lab.compiled("relay", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        relay = lab.Relay(tmp_path, server.getsockname()[1], 2)
        with socket.create_connection(("127.0.0.1", relay.port)) as client:
            client.sendall(b"first")
            assert client.recv(10) == b"first"
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            assert client.recv(10) == b"end" and client.recv(10) == b""
        thread.join()
        assert b"".join(got) == sent
        assert relay.counts() == (1, 5 + len(sent), 8, 2)
        relay.stop()
