"""Writes the digits model's figures and picture into README.md, docs/cli.md and docs/result.svg.

    .venv/bin/python scripts/update_figures.py

Trains the model anew and runs every session of docs/cli.md and README.md that names it, so that all
figures are of one run: each block of code that begins with ``$ tinyml`` gets the output of today.
"""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tinyml.data.dataset import quantize_samples, read_dataset
from tinyml.device.run import run_on_device
from tinyml.errors import TinymlError
from tinyml.firmware.boards import load_board
from tinyml.firmware.toolchain import find_tool
from tinyml.frontend.load import load_quantized
from tinyml.ir.graph import Array
from tinyml.pipeline import build_model, plan_model

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "build" / "demo"
README, COMMANDS = ROOT / "README.md", ROOT / "docs" / "cli.md"
PICTURE = ROOT / "docs" / "result.svg"
BOARD = "mps2-an386"

SESSION = re.compile(r"^```\n\$ tinyml (.*digits.*)\n(?:.*\n)*?```$", re.MULTILINE)
TABLE = re.compile(r"^\| model \| board \|.*\n(?:\|.*\n)*", re.MULTILINE)
VERSIONS = re.compile(r"^Made with .*$", re.MULTILINE)

TITLE = "What the firmware answers on an emulated Cortex-M4F"
SUBTITLE = "scans of digits that it was not trained on, and below each the device's answer"
RIGHT, WRONG = "#3d9450", "#b3261e"
PIXEL, GAP, LEFT, TOP = 7, 16, 20, 52
STYLE = """\
    text { font-family: "Helvetica Neue", Arial, "DejaVu Sans", sans-serif; fill: #1b2733; }
    .title { font-size: 15px; font-weight: 600; }
    .small { font-size: 12px; fill: #4a5a68; }
    .digit { font-size: 15px; font-weight: 600; text-anchor: middle; }"""


def main() -> None:
    """Run everything, then write: a step that fails leaves the pages as they were."""
    DEMO.mkdir(parents=True, exist_ok=True)
    commands = with_sessions(COMMANDS, DEMO)
    readme = with_sessions(README, ROOT)
    readme = TABLE.sub(lambda _: _boards_table(), readme)
    readme = VERSIONS.sub(_versions(), readme)
    drawn = picture(*_ten_digits(), report_of(readme))
    COMMANDS.write_text(commands, encoding="utf-8")
    README.write_text(readme, encoding="utf-8")
    PICTURE.write_text(drawn, encoding="utf-8")


def with_sessions(page: Path, folder: Path) -> str:
    """Give the page's text with what its sessions print today, run in ``folder``."""

    def session(found: re.Match[str]) -> str:
        return f"```\n$ tinyml {found[1]}\n{_tinyml(found[1], folder)}```"

    return SESSION.sub(session, page.read_text(encoding="utf-8"))


def _tinyml(arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", "tinyml", *shlex.split(arguments)]
    print("tinyml", arguments, flush=True)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    done = subprocess.run(command, cwd=folder, **streams, text=True, check=False)
    # A session may show what a user did wrong, and nothing worse.
    if done.returncode not in (0, TinymlError.exit_code):
        raise SystemExit(f"'tinyml {arguments}' failed: {done.stdout}")
    return re.sub(r" +$", "", done.stdout.rstrip(), flags=re.MULTILINE) + "\n"


def _boards_table() -> str:
    data = ["--data", DEMO / "digits.test.npz"]
    command = [sys.executable, ROOT / "benchmarks" / "boards.py", DEMO / "digits.tflite", *data]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _versions() -> str:
    python = ".".join(map(str, sys.version_info[:3]))
    qemu = find_tool("qemu-system-arm").version.split()[3]
    return f"Made with Python {python}, TensorFlow {version('tensorflow')} and QEMU {qemu}."


def report_of(readme: str) -> dict[str, str]:
    """Give the rows of the demo's report by their names."""
    block = [found[0] for found in SESSION.finditer(readme)][-1]
    rows = (re.split(r" {2,}", line, maxsplit=1) for line in block.splitlines())
    return {row[0]: row[1] for row in rows if len(row) == 2}


# --------------------------------------------------------------------------- picture


def _ten_digits() -> tuple[Array, Array, Array]:
    """The first held-out scan of each digit, its label, and what the device says of it."""
    graph, board = load_quantized(DEMO / "digits.tflite"), load_board(BOARD)
    data = read_dataset(DEMO / "digits.test.npz", [graph.tensor(name) for name in graph.inputs])
    assert data.labels is not None  # noqa: S101  # 'tinyml train' writes them
    first = [int(np.flatnonzero(data.labels == digit)[0]) for digit in range(10)]
    scans = data.samples[0][first]
    prepared = plan_model(graph, board).graph
    samples = quantize_samples([scans], [prepared.tensor(name) for name in prepared.inputs])
    run = run_on_device(prepared, build_model(graph, board, DEMO / "firmware"), samples)
    return scans, data.labels[first], run.outputs[0].reshape(10, -1).argmax(axis=1)


def picture(scans: Array, labels: Array, answers: Array, report: dict[str, str]) -> str:
    """Draw scans (10, 8, 8, 1) from 0 to 1, and below each its answer: green where it is right."""
    width = 2 * LEFT + 10 * 8 * PIXEL + 9 * GAP
    rows = [
        '<rect width="100%" height="100%" fill="#fbfcfd" stroke="#d5dde3"/>',
        f'<text class="title" x="{LEFT}" y="24">{TITLE}</text>',
        f'<text class="small" x="{LEFT}" y="42">{SUBTITLE}</text>',
    ]
    for place, (scan, label, answer) in enumerate(zip(scans, labels, answers, strict=True)):
        left = LEFT + place * (8 * PIXEL + GAP)
        rows += _pixels(scan.reshape(8, 8), left)
        colour = RIGHT if label == answer else WRONG
        x, y = left + 4 * PIXEL, TOP + 8 * PIXEL + 20
        rows.append(f'<text class="digit" x="{x}" y="{y}" style="fill:{colour}">{answer}</text>')
    rows += _summary(report, TOP + 8 * PIXEL + 48)
    body = "\n".join(f"  {row}" for row in rows)
    size = f'viewBox="0 0 {width} 200" width="{width}" height="200"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title">\n'
        f'  <title id="title">{TITLE}</title>\n'
        f"  <style>\n{STYLE}\n  </style>\n{body}\n</svg>\n"
    )


def _pixels(scan: Array, left: int) -> Iterator[str]:
    """One rectangle a pixel: the more ink, the darker."""
    for (row, column), ink in np.ndenumerate(scan):
        grey = 255 - round(float(ink) * 235)
        x, y = left + column * PIXEL, TOP + row * PIXEL
        yield (
            f'<rect x="{x}" y="{y}" width="{PIXEL}" height="{PIXEL}" '
            f'fill="#{grey:02x}{grey:02x}{grey:02x}"/>'
        )


def _summary(report: dict[str, str], top: int) -> Iterator[str]:
    for number, line in enumerate(summary_lines(report)):
        yield f'<text class="small" x="{LEFT}" y="{top + 20 * number}">{line}</text>'


def summary_lines(report: dict[str, str]) -> tuple[str, str]:
    """Name the figures of the report that stand in the picture."""
    before, after = report["float32 accuracy"], report["int8 accuracy, device"]
    return (
        f"accuracy: {before} in float32, {after} on the device",
        f"bytes that differ from TFLite's reference kernels: {report['bytes that differ']}",
    )


if __name__ == "__main__":
    main()
