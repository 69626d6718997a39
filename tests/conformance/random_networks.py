"""Random int8 networks of 3 to 25 layers; the seed of a network says everything about it.

python tests/conformance/random_networks.py               all 200 of them
python tests/conformance/random_networks.py 17 42         these; add --board to choose where
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import numpy as np
from merged import merge, reference_outputs
from networks_image import outputs_on
from random_layers import CHOICES, Layer, Place
from single_operator import SOURCE, Case, Draw, int8_tensor, samples_of

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.frontend.tflite import read_tflite
from tinyml.ir.graph import Graph, Tensor
from tinyml.ir.text import format_graph
from tinyml.ir.verify import verify_quantized
from tinyml.ops.base import PORTABLE, Operator
from tinyml.passes.pipeline import prepare_for_device

NETWORKS = 200
# Every network runs on the host and on one of these.
BOARDS = ("mps2-an385", "mps2-an386", "mps2-an500", "mps2-an505", "mps3-an547", "microbit")
SMALL_BOARD = "microbit"

FEWEST_LAYERS, MOST_LAYERS = 3, 25
# Beyond these the oracle refuses the bounds of fused activations.
SCALES = 1e-6, 1e3
# Elements of one tensor; the small board has 16 KiB of RAM and 256 KiB of flash.
LARGEST_TENSOR, LARGEST_SMALL_TENSOR = 3000, 500
LARGEST_CONSTANT, LARGEST_SMALL_CONSTANT = 20_000, 1500


@dataclass
class Network:
    """A network that grows, one layer at a time."""

    draw: Draw
    largest_tensor: int
    largest_constant: int
    inputs: list[str] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    ops: list[Operator] = field(default_factory=list)

    @property
    def activations(self) -> list[Tensor]:
        return [tensor for tensor in self.tensors.values() if not tensor.is_constant]

    @property
    def unread(self) -> list[str]:
        read = {name for op in self.ops for name in op.inputs}
        return [tensor.name for tensor in self.activations if tensor.name not in read]

    def graph(self, name: str) -> Graph:
        """Every tensor that nothing reads is an output, and sometimes one that is read."""
        read = [op.outputs[0] for op in self.ops if op.outputs[0] not in self.unread]
        also = [self.draw.one_of(*read)] if read and self.draw.chance(1 / 4) else []
        outputs = (*self.unread, *also)
        return Graph(name, self.tensors, tuple(self.ops), tuple(self.inputs), outputs)

    def add_input(self) -> None:
        draw, name = self.draw, f"input_{len(self.inputs)}"
        image = (1, draw.integer(1, 12), draw.integer(1, 12), draw.integer(1, 8))
        shape = draw.one_of(image, image, image, (1, draw.integer(1, 60)))
        while np.prod(shape) > self.largest_tensor // 2:
            shape = tuple(max(1, size // 2) for size in shape)
        self.tensors[name] = int8_tensor(name, shape, draw.quant(0.005, 0.5))
        self.inputs.append(name)

    def grow(self) -> bool:
        """Add a layer of some kind after some tensor; False where the two do not fit."""
        others = self.activations
        source = others[-1] if self.draw.chance(2 / 3) else self.draw.one_of(*others)
        layer = self.draw.one_of(*CHOICES)(Place(self.draw, source, others))
        return layer is not None and self._append(layer, source)

    def _append(self, layer: Layer, source: Tensor) -> bool:
        number = len(self.ops)
        names = {SOURCE: source.name}
        names |= {tensor.name: f"{tensor.name}_{number}" for tensor in layer.constants}
        names |= {
            output: f"{type(layer.op).__name__}_{number}" + (f"_{index}" if index else "")
            for index, output in enumerate(layer.op.outputs)
        }
        outputs = tuple(names[output] for output in layer.op.outputs)
        inputs = tuple(names.get(name, name) for name in layer.op.inputs)
        op = replace(layer.op, name=outputs[0], inputs=inputs, outputs=outputs)
        added = [replace(tensor, name=names[tensor.name]) for tensor in layer.constants]
        graph = Graph("layer", {t.name: t for t in (*self.tensors.values(), *added)}, (), (), ())
        try:
            specs = op.infer(graph)
            results = [
                Tensor(name, spec.shape, spec.dtype, layer.quant)
                for name, spec in zip(outputs, specs, strict=True)
            ]
            if not self._fits(results, added):
                return False
            graph = graph.with_tensors(*results)
            op.check_quantized(graph)
            op.to_c(graph, PORTABLE)
        except ModelError:
            return False
        self.tensors.update({tensor.name: tensor for tensor in (*added, *results)})
        self.ops.append(op)
        return True

    def _fits(self, results: Iterable[Tensor], constants: Iterable[Tensor]) -> bool:
        sizes = [tensor.size for tensor in results]
        if not all(tensor.shape for tensor in results) or min(sizes) == 0:
            return False
        if not all(SCALES[0] < tensor.scale < SCALES[1] for tensor in results):
            return False
        weights = sum(tensor.size for tensor in constants)
        return max(sizes) <= self.largest_tensor and weights <= self.budget

    @property
    def budget(self) -> int:
        """Elements left for constants."""
        used = sum(tensor.size for tensor in self.tensors.values() if tensor.is_constant)
        return self.largest_constant - used


def board_of(seed: int) -> str:
    return BOARDS[seed % len(BOARDS)]


def random_network(seed: int) -> Graph:
    """The network of that seed, small where its board is."""
    draw = Draw(f"network {seed}")
    small = board_of(seed) == SMALL_BOARD
    limits = (LARGEST_TENSOR, LARGEST_CONSTANT)
    if small:
        limits = (LARGEST_SMALL_TENSOR, LARGEST_SMALL_CONSTANT)
    network = Network(draw, *limits)
    layers = draw.integer(FEWEST_LAYERS, MOST_LAYERS)
    for _ in range(draw.one_of(1, 1, 1, 2)):
        network.add_input()
    while len(network.ops) < layers:
        network.grow()
    graph = _without_idle_inputs(network.graph(f"network_{seed:03}"))
    verify_quantized(graph)
    return graph


def _without_idle_inputs(graph: Graph) -> Graph:
    def kept(names: Iterable[str]) -> tuple[str, ...]:
        idle = {name for name in graph.inputs if not graph.consumers[name]}
        return tuple(name for name in names if name not in idle)

    return replace(graph, inputs=kept(graph.inputs), outputs=kept(graph.outputs)).pruned()


# --------------------------------------------------------------------------- running


def case_of(graph: Graph) -> Case:
    """The graph as it comes back from a .tflite file, with its samples' seed in its name."""
    read = read_tflite(write_tflite(graph), graph.name)
    assert read == graph, f"{graph.name} is another graph after a .tflite file"
    return Case(graph.name, None, read)


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
    for op in graph.ops:
        part = part_up_to(graph, op.outputs)
        with tempfile.TemporaryDirectory() as folder:
            if list(differing([case_of(part)], board_name, Path(folder) / "fw")):
                return part
    return graph


def part_up_to(graph: Graph, outputs: tuple[str, ...]) -> Graph:
    needed, ops = set(outputs), []
    for op in reversed(graph.ops):
        if needed & set(op.outputs):
            needed |= {*op.inputs, *op.outputs}
            ops.append(op)
    inputs = tuple(name for name in graph.inputs if name in needed)
    return replace(graph, ops=tuple(reversed(ops)), inputs=inputs, outputs=outputs).pruned()


def failures(seeds: Sequence[int], board_name: str) -> list[str]:
    """One report for each of these networks that answers another byte than the oracle."""
    cases = {seed: case_of(random_network(seed)) for seed in seeds}
    seed_of = {case.name: seed for seed, case in cases.items()}
    with tempfile.TemporaryDirectory() as folder:
        found = list(differing(list(cases.values()), board_name, Path(folder) / "fw"))
    return [failure_report(seed_of[case.name], board_name, what) for case, what in found]


def operators_in(seeds: Iterable[int]) -> Counter[str]:
    return Counter(type(op).__name__ for seed in seeds for op in random_network(seed).ops)


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
    layers = ", ".join(f"{count} {name}" for name, count in sorted(operators_in(seeds).items()))
    sys.stdout.write(f"layers: {layers}\n{time.monotonic() - started:.0f} s\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
