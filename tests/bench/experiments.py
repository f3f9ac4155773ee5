"""What is measured, and how often. All programs take turns, so that what slows one slows all."""

import itertools
import json
import statistics
import subprocess
import time

from . import lab
from .contenders import RATE, shipped

# Milliseconds of a round trip; 0: loopback without a relay.
DISTANCES = (0, 10, 50, 150)
WORKERS = (1, 4, 16)
FLEET = 200
PAYLOADS = (1, 4, 16, 64)  # KiB
USUAL = 2  # KiB, about that of an OpenShift cluster
ROOTS = (1, 50, 150, 500)
LIST_WORKERS = 4

# How often: one task by distance, each cost, each fleet, and a fleet of the shell script's. Of
# fleets from afar: with fewer workers than 16 the shell script takes minutes.
FULL = {"one": {0: 15, 10: 5, 50: 5, 150: 5}, "cost": 5, "fleet": 3, "slow fleet": 1,
        "far workers": (16,), "lists": (100, 1000, 10000)}
QUICK = {"one": {0: 5, 10: 2, 50: 2, 150: 2}, "cost": 2, "fleet": 1, "slow fleet": 1,
         "far workers": (16,), "lists": (100, 1000)}
LONG = {**FULL, "slow fleet": 3, "far workers": WORKERS}


def summary(values):
    """The median and the first and third quartile."""
    low, _, high = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 \
        else values * 3
    return [float(f"{value:.4g}") for value in (statistics.median(values), low, high)]


def summaries(runs):
    return {figure: summary([run[figure] for run in runs]) for figure in runs[0]}


def has_lists():
    """Whether our program maps a job over a list of tasks."""
    done = subprocess.run([lab.HERE.parents[1] / "bin/pull-secret", "run-job", "pull-secret", "--help"],
                          capture_output=True, text=True, check=False)
    return "--tasks" in done.stdout


class Experiments:
    """All of them in one laboratory; `say` gets a line of progress each."""

    def __init__(self, laboratory, fast, contenders, plan, say):
        self._lab, self._contenders, self._plan = laboratory, contenders, plan
        self._fast = fast  # a laboratory for many tasks
        self._say = say
        self._number = itertools.count()

    def all(self):
        figures = {"date": time.strftime("%Y-%m-%d"), "machine": lab.machine(), "rate": RATE,
                   "runs": {"near": self._plan["one"][0], "far": self._plan["one"][10],
                          "cost": self._plan["cost"], "many": self._plan["fleet"], "slow": self._plan["slow fleet"]},
                   "versions": [one.version() for one in self._contenders[1:]],
                   "ships": {one.name: shipped(one) for one in self._contenders},
                   "one": {case: self._one(case) for case in ("first", "later")},
                   "payload": self._payloads(), "roots": self._roots()}
        if has_lists():
            figures["fleet"] = self._fleets()
            figures["list"] = self._lists()
        return figures

    def _turns(self, count, run):
        """Run each contender `count` times, in turns; returns what came of it by name."""
        results = {one.name: [] for one in self._contenders}
        for _ in range(count):
            for one in self._contenders:
                results[one.name].append(run(one))
        return results

    def _cluster(self, case):
        """One whose secret does not exist yet, or one whose secret does."""
        if case == "first":
            return f"new-{next(self._number)}"
        self._lab.put("there")
        return "there"

    def _one(self, case):
        """One task at each distance: {program: {figure: summary}}; wall is by distance."""
        secret = self._lab.file("usual", lab.pull_secret(USUAL * 1024))
        runs = {}
        for distance in DISTANCES:
            self._say(f"one task, {case} run, round trip {distance} ms")
            count = self._plan["one"][distance] + (distance == 0)  # the first run warms up
            runs[distance] = self._turns(count, lambda one: self._lab.run(
                one.one, secret, distance, cluster=self._cluster(case)))
        return {one.name: self._figures_of({distance: runs[distance][one.name]
                                            for distance in DISTANCES})
                for one in self._contenders}

    def _figures_of(self, runs):
        near, far = summaries(runs[0][1:]), [run for distance in DISTANCES[1:]
                                             for run in runs[distance]]
        walls = {distance: summary([run["wall"] for run in runs[distance]])
                 for distance in DISTANCES[1:]}
        return {**near, "wall": {0: near["wall"], **walls},
                **{figure: summary([run[figure] for run in far])
                   for figure in ("sent", "received", "trips")}}

    def _payloads(self):
        table = {}
        for size in PAYLOADS:
            self._say(f"pull secret of {size} KiB")
            secret = self._lab.file("payload", lab.pull_secret(size * 1024))
            table[size] = {}
            for case in ("first", "later"):
                runs = self._turns(self._plan["cost"], lambda one: self._lab.run(
                    one.one, secret, cluster=self._cluster(case)))
                table[size][case] = {name: summaries(found) for name, found in runs.items()}
        return table

    def _roots(self):
        secret = self._lab.file("usual", lab.pull_secret(USUAL * 1024))
        own, table = self._lab.own_root, {}
        for count in ROOTS:
            self._say(f"CA bundle of {count} roots")
            roots = self._lab.file("roots.pem", lab.bundle(own, count))
            runs = self._turns(self._plan["cost"], lambda one: self._lab.run(
                one.one, secret, roots=roots, cluster=self._cluster("later")))
            table[count] = {name: summaries(found) for name, found in runs.items()}
        return table

    def _list(self, count):
        clusters = [f"fleet-{index}" for index in range(count)]
        for cluster in clusters:
            self._fast.put(cluster)
        lines = "".join(json.dumps({"cluster_id": cluster}) + "\n" for cluster in clusters)
        return self._fast.file(f"list-{count}", lines.encode())

    def _fleet(self, one, tasks, count, workers, distance=0):
        secret = self._fast.file("usual", lab.pull_secret(USUAL * 1024))
        run = self._fast.run(one.fleet(tasks, workers), secret, distance, memory=True)
        return {**run, "rate": count * 1000 / run["wall"], "task cpu": run["cpu"] / count}

    def _fleets(self):
        """200 tasks whose secrets exist: [{workers, distance, program: {figure: summary}}]"""
        tasks, table = self._list(FLEET), []
        far = itertools.product(DISTANCES[1:], self._plan["far workers"])
        for distance, workers in [*((0, workers) for workers in WORKERS), *far]:
            row = {"distance": distance, "workers": workers}
            for one in self._contenders:
                self._say(f"{FLEET} tasks, {workers} workers, round trip {distance} ms: {one.name}")
                count = self._plan["slow fleet" if one.name == "curl + jq" else "fleet"]
                row[one.name] = summaries([
                    self._fleet(one, tasks, FLEET, workers, distance) for _ in range(count)])
            table.append(row)
        return table

    def _lists(self):
        """Lists of several lengths, our program alone."""
        table = {}
        for count in self._plan["lists"]:
            self._say(f"a list of {count} tasks, {LIST_WORKERS} workers")
            tasks = self._list(count)
            table[count] = summaries([
                self._fleet(self._contenders[0], tasks, count, LIST_WORKERS)
                for _ in range(self._plan["fleet"] if count < 10000 else 1)])
        return table
