# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw docs/images/loopback-dashboard.svg: the panels of examples/monitoring/loopback-dashboard.json, with what a real Prometheus answers to their queries.

It is not Grafana that draws. The history is made up (three API servers, a year and a bit, one of them updated to a Kubernetes with a longer life, one
renewal that was deferred, one that failed); its metrics are made by the very functions of the role's scripts, and Prometheus gets them by backfilling.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "roles" / "rotation_schedule" / "files"))

import prometheus
import scheduled_rotation
from apiserver_loopback_metrics import Address, Loopback, Metric, metrics

ROOT = Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "examples" / "monitoring" / "loopback-dashboard.json"
PICTURE = ROOT / "docs" / "images" / "loopback-dashboard.svg"
DAY = 86400.0
NOW = 1798761600.0  # 2027-01-01, so that the picture is the same each time
DAYS = 420
# Host -> (day, life in days) of each start of its API server; days before now.
STARTS: Mapping[str, Sequence[tuple[float, float]]] = {
    "cp-1:9100": ((500, 365), (171.3, 365), (60, 1096)),
    "cp-2:9100": ((493, 365), (163.6, 365)),
    "cp-3:9100": ((560, 365), (231.5, 365)),
}
# Days before now on which the scheduled run was deferred, failed, or renewed something; else there was nothing to do.
DEFERRED, FAILED, DONE = (236, 235, 234, 233, 232), (165,), (231, 171, 163)


def history() -> Iterator[tuple[float, Mapping[str, str], list[Metric]]]:
    """(time, labels that Prometheus adds, metrics) as they were scraped, once a day."""
    for before in range(DAYS, -1, -1):
        at = NOW - before * DAY
        for host, starts in STARTS.items():
            day, life = [start for start in starts if start[0] >= before][-1]
            started = NOW - day * DAY
            seen = Loopback(int(started - 3600), int(started - 3600 + life * DAY), int(started))
            yield at, {"instance": host}, metrics({Address("127.0.0.1", 6443): seen}, at)
        outcome = "refused" if before in DEFERRED else "stopped" if before in FAILED else "done" if before in DONE else "nothing"
        result = scheduled_rotation.Result(scheduled_rotation.EXIT_CODES[outcome], outcome, [scheduled_rotation.Outcome("blue", None, outcome, outcome)])
        yield at, {"instance": "bastion:9100"}, scheduled_rotation.metrics(result, at - 40, at, None)


def openmetrics() -> str:
    """As promtool takes it for backfilling: families together, with times."""
    families: dict[str, list[str]] = {}
    for at, labels, found in history():
        for metric in found:
            lines = families.setdefault(metric.name, [f"# HELP {metric.name} {metric.text}", f"# TYPE {metric.name} gauge"])
            for own, value in metric.samples:
                inside = ",".join(f'{name}="{text}"' for name, text in {**labels, **own}.items())
                lines.append(f"{metric.name}{{{inside}}} {value:.0f} {at:.0f}")
    return "".join(f"{line}\n" for lines in families.values() for line in lines) + "# EOF\n"


class Prometheus:
    """A real one, at a port of 127.0.0.1, with the history."""

    def __init__(self, folder: Path, cache: Path) -> None:
        (folder / "history.txt").write_text(openmetrics(), encoding="utf-8")
        (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
        backfill = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=8760h", str(folder / "history.txt"), str(folder / "data")]
        subprocess.run([prometheus.program("promtool", cache), *backfill], check=True, stdout=subprocess.DEVNULL)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            [
                prometheus.program("prometheus", cache),
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
                "--query.lookback-delta=25h",  # it was scraped once a day
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _attempt in range(100):
            try:
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise SystemExit("Prometheus did not get ready within 10 s")

    def __enter__(self) -> Prometheus:
        return self

    def __exit__(self, *dummy: object) -> None:
        self.process.terminate()
        self.process.wait()

    def ask(self, expression: str, over: bool) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """Labels and samples of each series; `over` time, or of now."""
        query = expression.replace("$instance", ".*")
        times = {"start": str(NOW - DAYS * DAY), "end": str(NOW), "step": "1d"} if over else {"time": str(NOW)}
        url = f"{self.url}/api/v1/query{'_range' if over else ''}?{urllib.parse.urlencode({'query': query, **times})}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        return [(one["metric"], [(float(at), float(value)) for at, value in one.get("values") or [one["value"]]]) for one in result]


# --- Drawing ----------------------------------------------------------------------------------------------------------------------------------------

WIDTH, ROW, GAP = 1200, 34, 8
COLORS = {"red": "#f2495c", "orange": "#ff9830", "green": "#73bf69", "blue": "#5794f2"}
LINES = ("#73bf69", "#f2cc0c", "#5794f2", "#ff780a")


def color(panel: Mapping[str, Any], value: float) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", ()):
        if f"{value:.0f}" in mapping["options"]:
            return COLORS[mapping["options"][f"{value:.0f}"]["color"]]
    steps = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]]
    return COLORS[steps[-1]["color"]]


def shown(panel: Mapping[str, Any], value: float) -> str:
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", ()):
        if f"{value:.0f}" in mapping["options"]:
            return str(mapping["options"][f"{value:.0f}"]["text"])
    return {"d": f"{value:.0f} days", "percentunit": f"{value:.0%}", "s": f"{value / 3600:.0f} hours"}.get(defaults["unit"], f"{value:.0f}")


def legend(text: str, labels: Mapping[str, str]) -> str:
    for name, value in labels.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def text(x: float, y: float, content: str, size: float = 13, fill: str = "#ccccdc", anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{fill}" text-anchor="{anchor}" font-weight="{weight}">{escape(content)}</text>'


def draw_stat(panel: Mapping[str, Any], found: Any, x: float, y: float, w: float, h: float) -> Iterator[str]:
    value = found[0][1][-1][1]
    yield f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="3" fill="{color(panel, value)}"/>'
    said = shown(panel, value)
    yield text(x + w / 2, y + h / 2 + 12, said, 36 if len(said) < 12 else 20, "#111217", "middle", "bold")


def draw_bargauge(panel: Mapping[str, Any], found: Any, x: float, y: float, w: float, h: float) -> Iterator[str]:
    defaults, each = panel["fieldConfig"]["defaults"], h / len(found)
    for number, (labels, samples) in enumerate(found):
        value, top = samples[-1][1], y + number * each
        part = max(0.0, min(1.0, (value - defaults["min"]) / (defaults["max"] - defaults["min"])))
        yield text(x, top + 16, legend(panel["targets"][0]["legendFormat"], labels))
        yield f'<rect x="{x}" y="{top + 24}" width="{w - 100}" height="{each - 34:.1f}" fill="#22252b"/>'
        yield f'<rect x="{x}" y="{top + 24}" width="{(w - 100) * part:.1f}" height="{each - 34:.1f}" fill="{color(panel, value)}"/>'
        yield text(x + w, top + 24 + (each - 34) / 2 + 6, shown(panel, value), 17, color(panel, value), "end", "bold")


def draw_timeseries(panel: Mapping[str, Any], found: Any, x: float, y: float, w: float, h: float) -> Iterator[str]:
    top = max(value for _labels, samples in found for _at, value in samples) * 1.05
    left, bottom, width, height = x + 50, y + h - 45, w - 60, h - 55

    def place(at: float, value: float) -> tuple[float, float]:
        return left + width * (at - NOW + DAYS * DAY) / (DAYS * DAY), bottom - height * value / top

    for value in range(0, int(top), 200):
        line = place(NOW, value)[1]
        yield f'<line x1="{left}" x2="{left + width}" y1="{line:.1f}" y2="{line:.1f}" stroke="#2c3235"/>'
        yield text(left - 8, line + 4, str(value), 11, "#9fa7b3", "end")
    yield from dates(left, width, bottom + 16)
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]:
        if step["value"] is not None:
            line = place(NOW, step["value"])[1]
            yield f'<line x1="{left}" x2="{left + width}" y1="{line:.1f}" y2="{line:.1f}" stroke="{COLORS[step["color"]]}" stroke-dasharray="6 4"/>'
    for number, (labels, samples) in enumerate(found):
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in (place(at, value) for at, value in samples))
        yield f'<polyline points="{points}" fill="none" stroke="{LINES[number]}" stroke-width="2"/>'
        yield f'<rect x="{left + number * 220}" y="{y + h - 14}" width="14" height="4" fill="{LINES[number]}"/>'
        yield text(left + number * 220 + 20, y + h - 8, legend(panel["targets"][0]["legendFormat"], labels), 12)


def draw_state_timeline(panel: Mapping[str, Any], found: Any, x: float, y: float, w: float, h: float) -> Iterator[str]:
    left, width, each = x + 120, w - 130, (h - 24) / len(found)
    for number, (labels, samples) in enumerate(found):
        top = y + number * each
        yield text(x, top + each / 2 + 4, legend(panel["targets"][0]["legendFormat"], labels), 12)
        yield f'<rect x="{left}" y="{top + 4:.1f}" width="{width}" height="{each - 8:.1f}" fill="#22252b"/>'
        for at, value in samples:
            begin = left + width * (at - NOW + DAYS * DAY) / (DAYS * DAY)
            yield f'<rect x="{begin:.1f}" y="{top + 4:.1f}" width="{width / DAYS:.1f}" height="{each - 8:.1f}" fill="{color(panel, value)}"/>'
    yield from dates(left, width, y + h - 6)


def dates(left: float, width: float, y: float) -> Iterator[str]:
    for before in range(DAYS - 30, -1, -60):
        yield text(left + width * (DAYS - before) / DAYS, y, time.strftime("%Y-%m-%d", time.gmtime(NOW - before * DAY)), 11, "#9fa7b3", "middle")


DRAW = {"stat": draw_stat, "bargauge": draw_bargauge, "timeseries": draw_timeseries, "state-timeline": draw_state_timeline}


def picture(dashboard: Mapping[str, Any], server: Prometheus) -> str:
    height = max((panel["gridPos"]["y"] + panel["gridPos"]["h"]) * ROW for panel in dashboard["panels"]) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="Inter, Helvetica, Arial, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#111217"/>',
        text(16, 32, dashboard["title"], 20, "#ffffff", weight="bold"),
    ]
    for panel in dashboard["panels"]:
        at, unit = panel["gridPos"], (WIDTH - GAP) / 24
        x, y, w, h = at["x"] * unit + GAP / 2, at["y"] * ROW + 50, at["w"] * unit - GAP, at["h"] * ROW - GAP
        found = server.ask(panel["targets"][0]["expr"], panel["targets"][0]["range"])
        if not found:
            raise SystemExit(f"panel {panel['title']!r}: its query finds nothing")
        parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="3" fill="#181b1f" stroke="#2c3235"/>')
        parts.append(text(x + 10, y + 22, panel["title"], 14, weight="bold"))
        parts += DRAW[panel["type"]](panel, found, x + 12, y + 34, w - 24, h - 46)
    return "\n".join([*parts, "</svg>"]) + "\n"


def draw() -> str:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    with tempfile.TemporaryDirectory() as temporary, Prometheus(Path(temporary), Path(base) / "kubeops-webhook-doctor" / "prometheus") as server:
        return picture(json.loads(DASHBOARD.read_text(encoding="utf-8")), server)


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    PICTURE.write_text(draw(), encoding="utf-8")
    print(f"{PICTURE.relative_to(ROOT)} is drawn")


if __name__ == "__main__":
    main()
