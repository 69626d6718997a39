"""Networks of Keras' layers through the converter, quantization, the reference, host and a board.

python tests/conformance/keras_networks.py                 all of them; writes docs/keras-layers.md
python tests/conformance/keras_networks.py LSTM GRU        these layers; writes nothing

Ends with 1 where anything crashes, a byte differs, or an error against Keras is above what is
stated in keras_layers/stated.py.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "conformance")]

from keras_layers.judge import Network, Outcome, outcomes, prepared  # noqa: E402  # found there
from keras_layers.page import PAGE, page  # noqa: E402
from keras_layers.stated import LEAST_DECIBELS, least_decibels, reason  # noqa: E402
from keras_layers.table import settings  # noqa: E402

from tinyml.plan import arena  # noqa: E402

MAKE = TESTS / "conformance" / "keras_layers" / "make.py"
# The names of all layers of the Keras at hand, which each conversion leaves beside its models.
LAYERS_FILE = "layers.txt"
BOARD = "mps3-an547"
PROCESSES = max(1, os.cpu_count() or 1)


def convert_all(numbers: Sequence[int], folder: Path, processes: int = PROCESSES) -> None:
    """Convert these settings in a few processes; one that dies is started again after the model."""
    every = settings()
    numbers = [n for n in numbers if not (folder / f"{every[n].stem}.started").exists()]
    with ThreadPoolExecutor(processes) as pool:
        parts = [numbers[start::processes] for start in range(processes)]
        list(pool.map(lambda part: _convert(list(part), folder), parts))


def _convert(numbers: list[int], folder: Path) -> None:
    every = settings()
    while numbers:
        command = [sys.executable, str(MAKE), str(folder), *map(str, numbers)]
        subprocess.run(command, env=_environment(), capture_output=True, check=False)
        started = [n for n in numbers if (folder / f"{every[n].stem}.started").exists()]
        numbers = [n for n in numbers if n not in started]
        if not started:
            raise RuntimeError("the process that converts does not start; run it by hand")


def _environment() -> dict[str, str]:
    quiet = {"CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    search_path = [str(TESTS.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | quiet | {"PYTHONPATH": os.pathsep.join(search_path)}


def judged(numbers: Sequence[int], folder: Path, boards: Sequence[str]) -> list[Outcome]:
    """What becomes of the settings that were converted into ``folder``, in their order."""
    every = settings()
    with redirect_stdout(StringIO()), ThreadPoolExecutor(PROCESSES) as pool:
        found = list(pool.map(lambda n: prepared(every[n].name, folder / every[n].stem), numbers))
    networks = [each for each in found if isinstance(each, Network)]
    ran: dict[str, Outcome] = {}
    for board_name in boards:
        for outcome in outcomes(networks, board_name):
            if outcome.name not in ran or not ran[outcome.name].fault:
                ran[outcome.name] = outcome
    return [each if isinstance(each, Outcome) else ran[each.name] for each in found]


def failures(found: Sequence[Outcome]) -> list[str]:
    """What may not be: faults, and errors above what is stated."""
    lines = [f"{each.name}: {each.fault}" for each in found if each.fault and not excused(each)]
    for each in found:
        if each.decibels is not None and each.decibels < least_decibels(each.name):
            expected = least_decibels(each.name)
            lines.append(f"{each.name}: {each.decibels:.1f} dB, expected at least {expected:g}")
    return lines


def excused(outcome: Outcome) -> bool:
    """Whether it is stated that no decibels can be asked for."""
    return least_decibels(outcome.name) == -math.inf


def needless(found: Sequence[Outcome]) -> list[str]:
    """Settings of which less is stated than they have."""
    works = (each for each in found if each.decibels is not None and not each.fault)
    return [each.name for each in works if reason(each.name) and each.decibels >= LEAST_DECIBELS]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("layers", nargs="*", help="only settings of these layers")
    parser.add_argument("--board", default=BOARD, help="run here after the host")
    parser.add_argument("--converted", type=Path, help="a folder to keep what is converted in")
    arguments = parser.parse_args()
    started = time.monotonic()
    wanted = set(arguments.layers)
    numbers = [n for n, each in enumerate(settings()) if not wanted or each.layer in wanted]
    arena.SEARCH_BUDGET = 0  # what is compared does not depend on how tight an arena is
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.converted or Path(temporary)
        convert_all(numbers, folder)
        found = judged(numbers, folder, ["host", arguments.board])
    failed = failures(found)
    if not wanted:
        PAGE.write_text(page(found), encoding="utf-8")
    for each in found:
        state = each.fault or each.refusal or f"{each.decibels:.1f} dB"
        sys.stdout.write(f"{each.name}: {state}\n")
    works = sum(each.decibels is not None for each in found)
    refused = sum(bool(each.refusal) for each in found)
    sys.stdout.write("".join(f"stated for nothing: {name}\n" for name in needless(found)))
    sys.stdout.write("".join(f"FAILED: {line}\n" for line in failed))
    sys.stdout.write(
        f"{len(found)} networks: {works} work, {refused} are refused, {len(failed)} failures; "
        f"{time.monotonic() - started:.0f} s\n"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
