from dataclasses import replace

import pytest
from graphs import activation, dequantize, make_graph, quantize

from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_quantized
from tinyml.ops.split import Split
from tinyml.passes.move_integers import move_integers


def split_between_float(*, scale: float = 0.05, outputs: tuple[str, ...] = ("left",)) -> Graph:
    """x, split in float; of its halves the left one becomes int8 again."""
    tensors = [
        activation("x", (1, 4), 0.05, 3),
        activation("x/float", (1, 4), None),
        activation("left/float", (1, 2), None),
        activation("right/float", (1, 2), None),
        activation("left", (1, 2), scale, 3),
    ]
    halves = ("left/float", "right/float")
    split = Split(name=halves[0], inputs=("x/float",), outputs=halves, axis=1)
    ops = [dequantize("x/float", "x"), split, quantize("left", "left/float")]
    graph = make_graph(tensors, ops, ["x"], outputs)
    verify_quantized(graph)
    return graph


def test_a_split_between_equal_scales_moves_integers():
    moved = move_integers(split_between_float())

    (split,) = moved.ops
    assert isinstance(split, Split)
    assert (split.inputs, split.outputs) == (("x",), ("left", "right/float"))
    verify_quantized(moved)


@pytest.mark.parametrize(
    "graph",
    [
        split_between_float(scale=0.06),
        split_between_float(outputs=("left", "right/float")),
        replace(split_between_float(), ops=split_between_float().ops[:2], outputs=()),
    ],
    ids=["another scale", "a float output", "nothing reads it"],
)
def test_other_movements_of_floats_stay(graph):
    assert move_integers(graph) == graph


def test_a_dequantize_with_another_reader_stays():
    graph = split_between_float(outputs=("left", "x/float"))

    assert [type(op).__name__ for op in move_integers(graph).ops] == ["Dequantize", "Split"]
