"""A fleet loses nothing and doubles nothing, whatever breaks, and stays small.

300 tasks here; 10,000 for `make soak`. Faults strike by the name of a secret, kills by the
number of a request: what happens is the same each time, but for who comes first.
"""

import os
import random
import signal

import fleet
import pytest
from conftest import native, until
from fleet import Processes, Sprinkle, clusters, counts, exactly, stored, task

MANY = pytest.mark.parametrize("total, workers, every", [
    (300, 4, 12), pytest.param(10_000, 16, 50, marks=pytest.mark.soak)])
CONVERGING = ("--skip-unchanged",)  # with a journal: what a rerun goes by
LONG = 300  # seconds after which one counts as hung
RUNS = 12  # at most, until everything is stored
# More than the pages of the allocators, stacks and caches of either moment differ by.
GROWTH_KIB = 64
JOURNAL_KIB = 1024  # a table, of which each secret touches a page at random
FOR_GOOD = {"INVALID_ARGUMENT", "PERMISSION_DENIED", "DATA_LOSS"}

EMULATOR = {"fast": True}


def converge(run_fleet, *flags, **more):
    """Run it again until it succeeds; the last log."""
    for number in range(RUNS):
        name = f"again-{number}"
        result = run_fleet.aside(*flags, name=name, **more).wait(LONG)
        log = run_fleet.log(name)
        if result.code == 0:
            return log
        assert result.code == 1, log[-1]
    raise AssertionError(f"still {counts(log)} after {RUNS} runs")


# Without these a run of a few seconds is long enough: it looks 8 s for what they lost.
QUICK = {name: fault for name, fault in fleet.SINGLE.items()
         if name not in ("503", "lost-request-close", "lost-request-reset", "garbage")}


@native
@MANY
def test_every_fault(emulator, run_fleet, tmp_path, total, workers, every):
    """One run adds at most one version to each; it and a rerun add exactly one."""
    numbers = range(total)
    listing = fleet.write_list(tmp_path / "list", map(task, numbers))
    sprinkle = emulator.orders.sprinkle = Sprinkle(
        every, fleet.SINGLE if total >= 10_000 else QUICK)
    flags = ("--tasks", listing, "--workers", workers, "--journal", tmp_path / "journal",
             "--failed", tmp_path / "failed")
    first = run_fleet.aside(*flags).wait(LONG)
    log = run_fleet.log()
    done = clusters(log)
    codes = counts(log)["failed_by_code"]
    assert first.code == (1 if codes.keys() - FOR_GOOD else 7), log[-1]
    whole = exactly(numbers)
    assert all(versions in ([], whole[name]) for name, versions in stored(emulator).items())
    assert len(done) == len(set(done)) == counts(log)["succeeded"]
    assert counts(log)["total"] == total
    failed = total - len(done)
    assert sum(codes.values()) == counts(log)["failed"] == failed > 0
    assert len((tmp_path / "failed").read_text().splitlines()) == failed
    assert total / every / 2 < sum(sprinkle.hits.values()) < total / every * 2
    if total >= 10_000:
        assert sprinkle.hits.keys() == fleet.SINGLE.keys()

    before, emulator.orders.sprinkle = emulator.loop.served, None
    again = run_fleet.aside(*flags, *CONVERGING, name="again").wait(LONG)
    log = run_fleet.log("again")
    assert again.code == 0, log[-1]
    assert counts(log) == {"total": total, "succeeded": total, "failed": 0,
                           "skipped": total - failed}
    assert stored(emulator) == whole
    assert emulator.loop.served - before <= 8 * failed
    assert (tmp_path / "failed").read_text() == ""


@native
@pytest.mark.parametrize("total, workers, more", [
    (300, 2, ()), *(pytest.param(10_000, *row, marks=pytest.mark.soak) for row in (
        (1, ()), (4, ()), (16, ()), (16, ("--journal", "journal"))))])
def test_memory_is_flat(emulator, run_fleet, tmp_path, total, workers, more, capsys):
    """What each process has resident does not depend on how many tasks there were."""
    listing = fleet.write_list(tmp_path / "list", map(task, range(total)))
    seen = {}

    def look(number, *_):
        # Four requests a task; near the end, while nobody has left yet.
        for moment in (100, total - 40):
            if number == 4 * moment:
                family = Processes(process.pid)
                seen[moment] = {pid: fleet.memory(pid) for pid in family.everyone()}

    emulator.loop.before = look
    process = run_fleet.aside("--tasks", listing, "--workers", workers, *more, cwd=tmp_path)
    result = process.wait(LONG)
    assert result.code == 0, run_fleet.log()[-1]
    early, late = seen[100], seen[total - 40]
    assert early.keys() == late.keys()
    names = ["launcher", "spawner", *(f"worker {number}" for number in range(workers))]
    with capsys.disabled():
        print(f"\nfleet: {total} tasks, {workers} workers, {more}, {total / result.seconds:.0f} tasks/s")
        for name, pid in list(zip(names, early))[:6]:
            print(f"fleet: {name}: {early[pid][0]} KiB after 100 (peak {early[pid][1]}), "
                  f"{late[pid][0]} after {total - 40} (peak {late[pid][1]})")
    for name, pid in zip(names, early):
        extra = JOURNAL_KIB if more and name == "launcher" else 0
        room = 1024 + extra + 64 * workers * (name == "launcher")
        assert early[pid][1] <= room, f"{name}: a task that is done leaves pages behind"
        assert late[pid][1] <= early[pid][1] + GROWTH_KIB + extra, name


@native
@pytest.mark.parametrize("total, shards", [
    (120, 3), pytest.param(2000, 8, marks=pytest.mark.soak)])
def test_shards(emulator, run_fleet, tmp_path, total, shards):
    """All of them at once do what one run does: each task, and each line that is wrong, is
    exactly one's.
    """
    numbers, wrong = range(total), ["{}"] * 40
    listing = fleet.write_list(tmp_path / "list", [*map(task, numbers), *wrong])
    emulator.orders.sprinkle = Sprinkle(40, {"504": fleet.SINGLE["504-committed"]})
    running = [run_fleet.aside("--tasks", listing, "--shards", shards, name=f"log-{index}",
                               JOB_COMPLETION_INDEX=index) for index in range(shards)]
    assert [process.wait(LONG).code for process in running] == [7] * shards
    logs = [run_fleet.log(f"log-{index}") for index in range(shards)]
    assert sum(counts(log)["total"] for log in logs) == total + len(wrong)
    assert sum(counts(log)["succeeded"] for log in logs) == total
    reported = [line["message"].split(":")[0] for log in logs for line in log
                if line["operation"] == "read-tasks"]
    assert sorted(reported) == sorted(f"line {total + 1 + n}" for n in range(len(wrong)))
    assert all(clusters(log) for log in logs)
    done = [name for log in logs for name in clusters(log)]
    assert sorted(done) == sorted(map(fleet.cluster, numbers))
    assert stored(emulator) == exactly(numbers)


KILLS = pytest.mark.parametrize("total, workers, seed", [
    (150, 3, 1), *(pytest.param(1000, 8, seed, marks=pytest.mark.soak) for seed in range(2, 8))])


@native
@KILLS
def test_workers_are_killed(emulator, run_fleet, tmp_path, total, workers, seed):
    """Each costs at most its task, which is unknown; the others go on in the same run."""
    chance = random.Random(seed)
    listing = fleet.write_list(tmp_path / "list", map(task, range(total)))
    moments = set(chance.sample(range(10, 3 * total), max(2, total // 50)))
    killed = []

    def strike(number, *_):
        if number in moments:
            family = Processes(process.pid).workers
            if family:
                killed.append(chance.choice(family))
                kill(killed[-1])

    flags = ("--tasks", listing, "--workers", workers, "--journal", tmp_path / "journal",
             "--failed", tmp_path / "failed", *CONVERGING)
    emulator.loop.before = strike
    process = run_fleet.aside(*flags)
    code = process.wait(LONG).code
    emulator.loop.before = None
    log = run_fleet.log()
    summary = counts(log)
    assert len(killed) >= 2
    assert summary["total"] == total
    assert summary["failed"] <= len(killed)
    assert code == (1 if summary["failed"] else 0)
    assert all(versions in ([], exactly([number])[fleet.secret(number)])
               for number in range(total)
               for versions in [stored(emulator).get(fleet.secret(number), [])])
    assert counts(converge(run_fleet, *flags))["succeeded"] == total
    assert stored(emulator) == exactly(range(total))


@native
@KILLS
def test_the_launcher_is_killed(emulator, run_fleet, tmp_path, total, workers, seed):
    """Nobody of its processes outlives it; runs that go on end with everything stored once."""
    chance = random.Random(seed)
    listing = fleet.write_list(tmp_path / "list", map(task, range(total)))
    flags = ("--tasks", listing, "--workers", workers, "--journal", tmp_path / "journal",
             *CONVERGING)
    kills = 3 if total < 1000 else 8
    for number in range(kills):
        moment = emulator.loop.served + chance.randrange(10, 3 * total // kills)
        family = []

        def strike(served, *_, moment=moment, family=family):
            if served == moment:
                family.extend(Processes(process.pid).everyone())
                kill(process.pid)

        emulator.loop.before = strike
        process = run_fleet.aside(*flags, name=f"killed-{number}")
        assert process.wait(LONG).code == -signal.SIGKILL
        until(lambda family=family: not any(map(fleet.alive, family)))
    emulator.loop.before = None
    log = converge(run_fleet, *flags)
    assert counts(log)["succeeded"] == total
    assert counts(log)["skipped"] > 0
    assert stored(emulator) == exactly(range(total))


@native
@pytest.mark.parametrize("total", [60, pytest.param(600, marks=pytest.mark.soak)])
def test_the_spawner_is_killed(emulator, run_fleet, tmp_path, total):
    """The run ends, says so, and the next one goes on."""
    listing = fleet.write_list(tmp_path / "list", map(task, range(total)))
    flags = ("--tasks", listing, "--workers", 3, "--journal", tmp_path / "journal", *CONVERGING)
    family = []

    def strike(served, *_):
        if served == total:
            family.extend(Processes(process.pid).everyone())
            kill(family[1])

    emulator.loop.before = strike
    process = run_fleet.aside(*flags)
    code = process.wait(LONG).code
    emulator.loop.before = None
    assert code in (0, 1)  # it is needed only to replace a worker
    until(lambda: not any(map(fleet.alive, family)))
    assert counts(converge(run_fleet, *flags))["succeeded"] == total
    assert stored(emulator) == exactly(range(total))


@native
@pytest.mark.parametrize("total", [60, pytest.param(2000, marks=pytest.mark.soak)])
def test_stopped_and_resumed(emulator, run_fleet, tmp_path, total):
    """SIGTERM lets go on what is under way; nothing of it is lost to the next run."""
    listing = fleet.write_list(tmp_path / "list", map(task, range(total)))
    flags = ("--tasks", listing, "--workers", 4, "--journal", tmp_path / "journal",
             "--failed", tmp_path / "failed")

    def strike(served, *_):
        if served == total:
            process.popen.send_signal(signal.SIGTERM)

    emulator.loop.before = strike
    process = run_fleet.aside(*flags)
    assert process.wait(LONG).code == 128 + signal.SIGTERM
    emulator.loop.before = None
    done = clusters(run_fleet.log())
    assert 0 < len(done) < total
    assert stored(emulator) == exactly(number for number in range(total)
                                       if fleet.cluster(number) in done)
    log = converge(run_fleet, *flags)
    assert counts(log) == {"total": total, "succeeded": total, "failed": 0, "skipped": len(done)}
    assert stored(emulator) == exactly(range(total))


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
