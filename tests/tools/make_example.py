# Copyright (c) 2026, kubeops.webhook_doctor contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make examples/broken-cluster/bundle.json anew: start the lab with some faults, diagnose it, mark what was observed as an example.

    python tests/tools/make_example.py            (needs the lab built: make integration builds it)
    python tests/tools/make_example.py --images   also docs/images/*.png, with Chromium

What the example shows is then the real thing: real API server, real error texts. Nothing in the bundle is written by hand but the mark.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

from doctorlab import Lab, Options  # noqa: E402

from ansible_collections.kubeops.webhook_doctor.plugins.plugin_utils._report.bundle import as_json, read_bundle  # noqa: E402

EXAMPLE = ROOT / "examples" / "broken-cluster" / "bundle.json"
IMAGES = ROOT / "docs" / "images"
# One or two of each family, so that the report stays readable.
FAULTS = (
    "healthy",
    "mutating-works",
    "conversion-works",
    "apiservice-works",
    "ca-rotated",
    "certificate-expires-soon",
    "conversion-404",
    "endpoints-not-ready",
    "html-fail-open",
    "own-namespace",
    "plain-http",
    "service-missing",
    "slow",
    "some-endpoints-dead",
    "syn-dropped",
)
QUIET = {"ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false", "ANSIBLE_NOCOLOR": "1"}
PLAYBOOK = ["ansible-playbook", "kubeops.webhook_doctor.diagnose"]
CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]
# name: (width of the page, height of the picture, anchor, dark)
PICTURES = {"report": (1100, 1500, "", False), "report-dark": (1100, 900, "#f5", True), "report-phone": (390, 800, "#f5", False)}
NARROWEST_WINDOW = 500


def observe(folder: Path) -> None:
    """Write the example's bundle, as observed in a lab of its own."""
    with Lab(folder / "lab", Options(faults=",".join(FAULTS), routing="endpoint")) as lab:
        variables = json.dumps({"webhook_doctor_report_dir": str(folder / "report")})
        lab.run([*PLAYBOOK, "-e", variables], user="diagnose-probing", env=QUIET, cwd=folder, timeout=300, check=True)
    bundle = read_bundle(folder / "report" / "bundle.json")
    EXAMPLE.write_text(as_json({**bundle, "example": True}), encoding="utf-8")
    print(f"{EXAMPLE.relative_to(ROOT)}: {len(bundle['facts']['callouts'])} call-outs, {EXAMPLE.stat().st_size // 1024} KiB")


def picture(folder: Path) -> None:
    """Photograph the report of the example."""
    if not shutil.which(CHROMIUM[0]):
        raise SystemExit("make_example.py --images: Chromium is needed. On Debian and Ubuntu: apt-get install chromium")
    IMAGES.mkdir(exist_ok=True)
    subprocess.run(
        [*PLAYBOOK, "-e", f"webhook_doctor_source={EXAMPLE}", "-e", "webhook_doctor_report_dir=report"], cwd=folder, check=True, stdout=subprocess.DEVNULL
    )
    for name, (width, height, anchor, dark) in PICTURES.items():
        # In a frame that is enlarged, because Chromium's window cannot be as narrow as a phone.
        window = max(width, NARROWEST_WINDOW)
        style = f"border:0;width:{width}px;height:{height}px;transform:scale({window / width});transform-origin:0 0"
        frame = folder / f"{name}.html"
        frame.write_text(f'<body style="margin:0;overflow:hidden"><iframe scrolling="no" src="report/report.html{anchor}" style="{style}">', encoding="utf-8")
        taken = folder / f"{name}.png"
        options = [f"--user-data-dir={folder / 'profile'}", f"--window-size={window},{height * window // width}", f"--screenshot={taken}"]
        subprocess.run(
            [*CHROMIUM, *options, *(["--blink-settings=preferredColorScheme=0"] if dark else []), frame.as_uri()], check=True, stderr=subprocess.DEVNULL
        )
        shutil.copyfile(taken, IMAGES / taken.name)
        print(f"docs/images/{taken.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the shipped example anew.")
    parser.add_argument("--images", action="store_true", help="also the pictures in docs/images")
    parser.add_argument("--images-only", action="store_true", help="only the pictures, of the example that is there")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="webhook-doctor-example-") as folder:
        if not arguments.images_only:
            observe(Path(folder))
        if arguments.images or arguments.images_only:
            picture(Path(folder))


if __name__ == "__main__":
    main()
