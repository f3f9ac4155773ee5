"""The tables of the README, made of the figures of one run."""

import json
import re

# What stands between two of these in the README is made by scripts/bench --write.
MARK = "<!-- {} by scripts/bench --write -->"
OURS = "pull-secret"
CASES = ("first", "later")


def number(value):
    """Three digits or so, as a person would write them."""
    if value >= 999.5:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def median(summary, unit=1):
    """The median and half the distance of the quartiles, where that shows."""
    middle, low, high = (value / unit for value in summary)
    text = number(middle)
    decimals = len(text.partition(".")[2])
    spread = f"{(high - low) / 2:,.{decimals}f}"
    return text if float(spread.replace(",", "")) == 0 else f"{text} ±{spread}"


def times(theirs, ours):
    """How many times ours, or its inverse where more is better."""
    ratio = theirs / ours
    return f" ({ratio:.0f}×)" if ratio >= 9.95 else f" ({ratio:.2g}×)"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def compared(summaries, unit=1):
    """A cell for each program: its median, and how many times ours that is."""
    ours = summaries[OURS][0]
    return {name: median(summary, unit) + ("" if name == OURS else times(summary[0], ours))
            for name, summary in summaries.items()}


def joined(cells):
    """The cells of several cases as one: {program: text}."""
    return [" / ".join(cell[name] for cell in cells) for name in cells[0]]


def of_cases(figures, title, pick, unit=None):
    """A row of one task: its cells hold the first run and that of a secret that exists."""
    one, names = figures["one"], list(figures["ships"])
    found = [{name: pick(one[case][name]) for name in names} for case in CASES]
    return [title, *joined([compared(cells, unit) if unit else cells for cells in found])]


def wall(figures, distance):
    where = f"round trip {distance} ms" if int(distance) else "loopback"
    return of_cases(figures, f"wall time, {where}, ms", lambda run: run["wall"][distance], 1)


def counts(run):
    return f"{run['requests'][0]:.0f}, {run['connections'][0]:.0f}"


def ships(figures):
    return ["what is shipped", *(f"{count:,} file{'s' * (count > 1)}, {number(size / 1e6)} MB"
                                 for count, size in figures["ships"].values())]


def one_task(figures, distances):
    return [
        ships(figures),
        of_cases(figures, "CPU time of the client's processes, ms", lambda run: run["cpu"], 1),
        of_cases(figures, "peak of resident memory, MiB", lambda run: run["peak"], 1024),
        *(wall(figures, distance) for distance in distances),
        of_cases(figures, "requests, connections", counts)]


def wire(figures):
    return [
        of_cases(figures, "round trips, one after another",
                 lambda run: f"{run['trips'][0]:.0f}"),
        of_cases(figures, "KiB sent", lambda run: run["sent"], 1024),
        of_cases(figures, "KiB received", lambda run: run["received"], 1024)]


def of_fleet(entry, title, figure, unit=1):
    workers, distance = entry["workers"], entry["distance"]
    where = f"{workers} worker{'s' * (workers > 1)}"
    if distance:
        where += f", round trip {distance} ms"
    summaries = {name: run[figure] for name, run in entry.items()
                 if name not in ("workers", "distance")}
    return [f"{title}, {where}", *compared(summaries, unit).values()]


def fleets(figures):
    near = [entry for entry in figures["fleet"] if not entry["distance"]]
    return [*(of_fleet(entry, "wall time of all, s", "wall", 1000) for entry in figures["fleet"]),
            *(of_fleet(entry, "CPU time of the client's processes a task, ms", "task cpu") for entry in near),
            *(of_fleet(entry, "memory of all processes, MiB", "memory", 1024) for entry in near)]


def costs(figures):
    names = list(figures["ships"])
    payload, roots = figures["payload"], figures["roots"]
    by_size = [[name] for name in names]
    for size in payload.values():
        cells = [compared({name: size[case][name]["cpu"] for name in names}) for case in CASES]
        for line, cell in zip(by_size, joined(cells)):
            line.append(cell)
    by_roots = [[name] for name in names]
    for count in roots.values():
        cells = compared({name: count[name]["cpu"] for name in names})
        for line, name in zip(by_roots, names):
            line.append(cells[name])
    head = "CPU ms, first run / secret exists"
    return [table([head, *(f"{size} KiB" for size in payload)], by_size),
            table(["CPU ms, by roots in `SSL_CERT_FILE`", *roots], by_roots)]


def lists(figures):
    found = figures["list"]
    rows = [[title, *(median(run[figure], unit) for run in found.values())]
            for title, figure, unit in (("tasks a second", "rate", 1),
                                        ("CPU time a task, ms", "task cpu", 1),
                                        ("resident peak of the launcher, KiB", "launcher", 1),
                                        ("resident peak of the largest worker, KiB", "worker", 1))]
    return table(["pull-secret, 4 workers, a list of", *(f"{int(count):,} tasks" for count in found)],
                 rows)


def conditions(figures):
    """What the figures are and where they come from."""
    machine, runs = figures["machine"], figures["runs"]
    lines = [
        f"Medians ± half the distance of the quartiles, of {runs['near']} runs over loopback,"
        f" {runs['far']} from afar, {runs['cost']} of each cost; in brackets how many times ours."
        f" Measured in turns on {figures['date']}: {machine['cpu']}, {machine['cores']} cores, Linux"
        f" {machine['kernel']}; {'; '.join(figures['versions'])}.",
        "The server is the tests' emulator on the same machine, with a chain like Google's, and the"
        " token comes from a metadata server beside it. A relay makes the round trip: it delays, and"
        " throttles nothing. Round trips are the answers that the relay saw, and one for each"
        " connection; curl and Node.js speak TLS 1.3, which spares one in each: so Node.js, with one"
        " connection as we have, needs fewer. Bytes are those of all connections to the API, TLS included."]
    if "fleet" in figures:
        lines.append(
            f"A list ran with `--rate {figures['rate']}`, where the default keeps to Google's 600 writes a"
            f" minute: {runs['many']} times, by the shell script {runs['slow']}, with 10,000 tasks once. Its"
            " server is a faster one, but in Python and on one core, which bounds the fastest of these"
            " rates. Memory that processes share is counted once.")
    return lines + figures["skipped"]


def short(figures):
    """The chart and a few rows."""
    rows = one_task(figures, ["0", "50"])
    head = ["one task: first run / secret exists", *figures["ships"]]
    return "\n\n".join([f"![{alternative(figures)}](tests/bench/bench.svg)", table(head, rows)])


def markdown(figures):
    """All tables, and what was measured how."""
    names, distances = list(figures["ships"]), list(figures["one"]["first"][OURS]["wall"])
    parts = [table(["one task: first run / secret exists", *names],
                   one_task(figures, distances) + wire(figures))]
    if "fleet" in figures:
        parts.append(table(["200 tasks whose secrets exist", *names], fleets(figures)))
    parts += costs(figures)
    if "list" in figures:
        parts.append(lists(figures))
    return "\n\n".join(parts + conditions(figures))


def inserted(readme, figures):
    """The README with what was measured between its marks."""
    for what, text in (("chart", short(figures)), ("tables", markdown(figures))):
        mark = MARK.format(what)
        parts = readme.split(mark)
        if len(parts) != 3:
            raise ValueError(f"the README has not two lines {mark}")
        readme = f"{parts[0]}{mark}\n\n{text}\n\n{mark}{parts[2]}"
    return readme


def alternative(figures):
    """What the chart says, in words."""
    return f"Charts of time, CPU and memory of {', '.join(figures['ships'])}; the tables have the figures"


def as_text(figures):
    """JSON with a line for each row."""
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    return re.sub(r"\[\s+([^][{}]*?)\s+\]", lambda found: "[" + re.sub(r"\s+", " ", found[1]) + "]",
                  text) + "\n"
