"""Random networks through every stage: converted, planned, built and run, on each class of core.

python tests/conformance/random_networks.py               all 200 of them
python tests/conformance/random_networks.py 17 42         these; add --board to choose where
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import layers.network
from layers.network import Limits, part_up_to
from merged import merge, reference_outputs
from networks_image import outputs_on
from single_operator import Case, samples_of

from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph
from tinyml.ir.text import format_graph
from tinyml.passes.fuse_float_functions import fuse_float_functions
from tinyml.passes.orders import prepare_for_device

NETWORKS = 200
# Every network runs on the host and on one of these.
BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "microbit")
SMALL_BOARD = "microbit"
# The small board has 16 KiB of RAM and 256 KiB of flash.
LIMITS, SMALL_LIMITS = Limits(3000, 20_000), Limits(500, 1500)


def board_of(seed: int) -> str:
    return BOARDS[seed % len(BOARDS)]


def random_network(seed: int) -> Graph:
    """The network of that seed, small where its board is."""
    limits = SMALL_LIMITS if board_of(seed) == SMALL_BOARD else LIMITS
    return layers.network.random_network(seed, limits)


# --------------------------------------------------------------------------- running


def case_of(graph: Graph) -> Case:
    """The graph as it comes back from a .tflite file, with its samples' seed in its name."""
    read = read_tflite(write_tflite(graph), graph.name)
    same = _comparable(fuse_float_functions(read)) == _comparable(graph)
    assert same, f"{graph.name} is another graph after a .tflite file"
    return Case(graph.name, None, read)


def _comparable(graph: Graph) -> Graph:
    """Without the names of what has no output: they count operators that fusing takes away."""
    ops = (replace(op, name="" if not op.outputs else op.name) for op in graph.ops)
    states = sorted(graph.states, key=lambda state: state.tensor)
    return replace(graph, ops=tuple(ops), states=tuple(states))


def differing(cases: Sequence[Case], board_name: str, folder: Path) -> Iterator[tuple[Case, str]]:
    """Cases of which any byte on the board is not the oracle's, and how many are not."""
    graphs = [prepare_for_device(case.graph) for case in cases]
    got = outputs_on(load_board(board_name), graphs, [samples_of(case) for case in cases], folder)
    for case, answer in zip(cases, got, strict=True):
        (expected,) = reference_outputs(merge([case]))
        count = int((expected != answer).sum())
        if count:
            yield case, f"{count} of {expected.size} bytes differ"


def failure_report(seed: int, board_name: str, what: str) -> str:
    """What differs, the smallest part of the network that does, and how to run it again."""
    part = smallest_differing_part(random_network(seed), board_name)
    return "\n".join(
        [
            f"network {seed} on {board_name}: {what}",
            f"again: python tests/conformance/random_networks.py {seed} --board {board_name}",
            format_graph(part),
        ]
    )


def smallest_differing_part(graph: Graph, board_name: str) -> Graph:
    """The first tensor that is wrong when computed alone, with all it needs; else the graph."""
    for outputs in filter(None, (op.outputs for op in graph.ops)):
        part = part_up_to(graph, outputs)
        with tempfile.TemporaryDirectory() as folder:
            if list(differing([case_of(part)], board_name, Path(folder) / "fw")):
                return part
    return graph


def failures(seeds: Sequence[int], board_name: str) -> list[str]:
    """One report for each of these networks that answers another byte than the oracle."""
    cases = {seed: case_of(random_network(seed)) for seed in seeds}
    seed_of = {case.name: seed for seed, case in cases.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = list(differing(list(cases.values()), board_name, Path(folder) / "fw"))
    return [failure_report(seed_of[case.name], board_name, what) for case, what in found]


def operators_in(seeds: Iterable[int]) -> Counter[str]:
    """How often each file of tinyml/ops occurs."""
    ops = (op for seed in seeds for op in random_network(seed).ops)
    return Counter(type(op).__module__.rpartition(".")[2] for op in ops)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seeds", nargs="*", type=int, default=list(range(NETWORKS)))
    parser.add_argument("--board", help="run them here only, not on host and each one's own board")
    arguments = parser.parse_args()
    started = time.monotonic()
    seeds = sorted(arguments.seeds, key=lambda seed: (board_of(seed), seed))
    work = {board: list(own) for board, own in groupby(seeds, board_of)}
    work = {arguments.board: seeds} if arguments.board else {"host": seeds, **work}
    found = []
    for board_name, own in work.items():
        reports = failures(own, board_name)
        found += reports
        sys.stdout.write(f"{board_name}: {len(own)} networks, {len(reports)} differ\n")
        sys.stdout.write("".join(f"{report}\n" for report in reports))
        sys.stdout.flush()
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(operators_in(seeds).items()))
    sys.stdout.write(f"layers: {kinds}\n{time.monotonic() - started:.0f} s\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
