"""The figures of one run as a drawing: SVG without fonts or scripts, for dark and light pages."""

import math
from xml.sax.saxutils import escape

from .report import OURS, number

WIDTH, MARGIN, HEAD, FOOT = 960, 16, 64, 34
PANEL, GAP = (298, 232), (17, 16)
PLOT = (40, 44, 14, 26)  # left, top, right, bottom of the plot within its panel
STYLE = """
svg { font: 12px system-ui, sans-serif; }
.page { fill: #ffffff; } .ink { fill: #1f2328; } .dim { fill: #59636e; }
.title { font-size: 13px; font-weight: 600; } .head { font-size: 16px; font-weight: 600; }
.grid { stroke: #d1d9e0; } .line { fill: none; stroke-width: 2; } .spread { stroke-width: 1.2; }
.s0 { stroke: #0969da; } .f0 { fill: #0969da; }
.s1 { stroke: #bc4c00; } .f1 { fill: #bc4c00; }
.s2 { stroke: #1a7f37; } .f2 { fill: #1a7f37; }
@media (prefers-color-scheme: dark) {
.page { fill: #0d1117; } .ink { fill: #f0f6fc; } .dim { fill: #9198a1; }
.grid { stroke: #3d444d; }
.s0 { stroke: #58a6ff; } .f0 { fill: #58a6ff; }
.s1 { stroke: #f0883e; } .f1 { fill: #f0883e; }
.s2 { stroke: #3fb950; } .f2 { fill: #3fb950; }
}
"""


def text(x, y, words, style="dim", anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(str(words))}</text>'


def mark(x, y, series):
    """A circle, a square or a triangle: to be told apart without colours, too."""
    if series == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="f0"/>'
    if series == 1:
        return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" class="f1"/>'
    corners = f"{x:.1f},{y - 4.5:.1f} {x - 4.5:.1f},{y + 3.5:.1f} {x + 4.5:.1f},{y + 3.5:.1f}"
    return f'<polygon points="{corners}" class="f2"/>'


class Panel:
    """One small chart: columns at equal distances, a logarithmic scale upwards."""

    def __init__(self, x, y, title, subtitle, columns, series):
        self.left, self.right = x + PLOT[0], x + PANEL[0] - PLOT[2]
        self.top, self.bottom = y + PLOT[1], y + PANEL[1] - PLOT[3]
        self._corner, self._titles = (x, y), (title, subtitle)
        self._columns, self._series = columns, series
        values = [value for _, points in series for point in points for value in point if value > 0]
        self._low = math.floor(math.log10(min(values)))
        self._high = max(math.ceil(math.log10(max(values))), self._low + 1)

    def _x(self, column):
        step = (self.right - self.left) / len(self._columns)
        return self.left + step * (column + 0.5)

    def _y(self, value):
        part = (math.log10(value) - self._low) / (self._high - self._low)
        return self.bottom - part * (self.bottom - self.top)

    def parts(self):
        x, y = self._corner
        yield text(x, y + 14, self._titles[0], "title ink")
        yield text(x, y + 30, self._titles[1])
        for power in range(self._low, self._high + 1):
            at = self._y(10 ** power)
            yield f'<line x1="{self.left}" y1="{at:.1f}" x2="{self.right}" y2="{at:.1f}" class="grid"/>'
            yield text(self.left - 6, at + 4, f"{10 ** power:,}" if power >= 0 else 10 ** power,
                       anchor="end")
        for index, column in enumerate(self._columns):
            yield text(self._x(index), self.bottom + 18, column, anchor="middle")
        for series, points in self._series:
            yield from self._drawn(series, points)

    def _drawn(self, series, points):
        places = [(self._x(index), *map(self._y, point)) for index, point in enumerate(points)]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in places)
        yield f'<polyline points="{way}" class="line s{series}"/>'
        for (x, y, low, high), point in zip(places, points):
            yield f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" class="spread s{series}"/>'
            yield mark(x, y, series)
            if series == 0:
                # Below the mark and its spread; above them where there is no room.
                at = max(y + 18, low + 14)
                yield text(x, at if at < self.bottom - 4 else min(y, high) - 9, number(point[0]), "ink", "middle")


def panels(figures):
    """Title, subtitle, names of columns, [(series, summaries)] of each panel."""
    names = list(figures["ships"])
    later = figures["one"]["later"]

    def of_each(rows, figure, unit=1):
        return [(index, [[value / unit for value in row[name][figure]] for row in rows])
                for index, name in enumerate(names)]

    distances = list(later[OURS]["wall"])
    yield ("Wall time of one task, ms", "the secret exists; by round trip, ms",
           distances, [(index, [later[name]["wall"][distance] for distance in distances])
                       for index, name in enumerate(names)])
    payload = [size["first"] for size in figures["payload"].values()]
    yield ("CPU time of a first run, ms", "by size of the pull secret, KiB",
           list(figures["payload"]), of_each(payload, "cpu"))
    yield ("CPU time of one task, ms", "by roots in the CA bundle",
           list(figures["roots"]), of_each(figures["roots"].values(), "cpu"))
    if "fleet" in figures:
        near = [row for row in figures["fleet"] if not row["distance"]]
        most = max(row["workers"] for row in near)
        many = [row for row in figures["fleet"] if row["workers"] == most]
        yield (f"200 tasks with {most} workers: wall time, s", "by round trip, ms",
               [row["distance"] for row in many], of_each(many, "wall", 1000))
        yield ("200 tasks: memory of all processes, MiB", "by workers",
               [row["workers"] for row in near], of_each(near, "memory", 1024))
    if "list" in figures:
        runs = figures["list"].values()
        yield ("A list: memory of all processes, MiB", "launcher and 4 workers; by tasks",
               [f"{int(count):,}" for count in figures["list"]],
               [(0, [[value / 1024 for value in run["memory"]] for run in runs])])


def draw(figures):
    machine = figures["machine"]
    found = list(panels(figures))
    height = HEAD + -(-len(found) // 3) * (PANEL[1] + GAP[1]) + FOOT
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
             f' height="{height}" role="img">',
             "<title>What pull-secret takes beside a shell script and Google's Node.js client</title>",
             f"<style>{STYLE}</style>", f'<rect width="{WIDTH}" height="{height}" class="page"/>',
             text(MARGIN, 28, "What one task takes, and many", "head ink")]
    x = MARGIN + 6
    for index, name in enumerate(figures["ships"]):
        lines += [mark(x, 46, index), text(x + 11, 50, name, "ink")]
        x += 38 + 7 * len(name)
    lines.append(text(x, 50, "medians and quartiles; the scales upwards are logarithmic"))
    for index, panel in enumerate(found):
        corner = (MARGIN + index % 3 * (PANEL[0] + GAP[0]), HEAD + index // 3 * (PANEL[1] + GAP[1]))
        lines += Panel(*corner, *panel).parts()
    lines.append(text(MARGIN, height - 14, f"{figures['date']}, {machine['cpu']}, {machine['cores']} cores,"
                      f" Linux {machine['kernel']}; the server is on the same machine"))
    return "\n".join([*lines, "</svg>\n"])
