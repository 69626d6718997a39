"""Trains the five MLPerf Tiny networks, and prints how well they do in float and on a board.

    python benchmarks/accuracies.py [--model NAME] [--board BOARD]

It takes a quarter of an hour on two cores; what --models already has is not trained again. Where
TINYML_DATA_DIR is unset, the data are the stand-ins that the model files compute. A byte on the
board that is not the reference's ends the run with 1.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from mlperf_models import FOLDER, MODELS, int8_model, run_python

COLUMNS = ("model", "samples", "metric", "float32", "int8 on the board", "bytes that differ")


def main() -> int:
    """Compare every model's test data."""
    options = _parse()
    print("|", " | ".join(COLUMNS), "|")
    print("|---|--:|---|" + "--:|" * (len(COLUMNS) - 3))
    different = 0
    for name in options.model or MODELS:
        found = _comparison(int8_model(name, options.models, trained=True), options.board)
        print(_row(found), flush=True)
        different += found["mismatched_bytes"]
    return 1 if different else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=FOLDER)
    parser.add_argument("--model", action="append", choices=MODELS)
    parser.add_argument("--board", default="mps2-an386")
    return parser.parse_args()


def _comparison(model: Path, board: str) -> dict[str, Any]:
    """What ``tinyml compare --json`` writes."""
    data, reference = (model.with_suffix(end) for end in (".test.npz", ".keras"))
    arguments = ("--data", data, "--reference", reference, "--board", board)
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "compare.json"
        run_python("-m", "tinyml", "compare", model, *arguments, "--json", answer, accepted=(0, 1))
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def _row(found: dict[str, Any]) -> str:
    cells = (
        found["model"],
        f"{found['samples']:,}",
        found["metric"],
        f"{found['float_accuracy']:.2%}",
        f"{found['device_accuracy']:.2%}",
        f"{found['mismatched_bytes']:,}",
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
