from dataclasses import replace

import pytest
from graphs import activation, dequantize, make_graph, quantize

from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_quantized
from tinyml.ops.cos import Cos
from tinyml.ops.families.unary import UnaryOperator
from tinyml.ops.logistic import Logistic
from tinyml.ops.sin import Sin
from tinyml.ops.tanh import Tanh
from tinyml.passes.fuse_float_functions import fuse_float_functions

SHAPE = (1, 4)


def sine(output: str, source: str, *, in_float: bool = False) -> Sin:
    return Sin(name=output, inputs=(source,), outputs=(output,), in_float=in_float)


def between_float(*, outputs: tuple[str, ...] = ("y",), kind: type[UnaryOperator] = Sin) -> Graph:
    """x, a function in float, y."""
    tensors = [
        activation("x", SHAPE, 0.05, 3),
        activation("x/float", SHAPE, None),
        activation("sine", SHAPE, None),
        activation("y", SHAPE, 0.01, -5),
    ]
    function = kind(name="sine", inputs=("x/float",), outputs=("sine",))
    ops = [dequantize("x/float", "x"), function, quantize("y", "sine")]
    graph = make_graph(tensors, ops, ["x"], outputs)
    verify_quantized(graph)
    return graph


def test_a_float_function_between_dequantize_and_quantize_becomes_one_int8_operator():
    fused = fuse_float_functions(between_float())

    assert fused.ops == (sine("y", "x", in_float=True),)
    assert set(fused.tensors) == {"x", "y"}
    verify_quantized(fused)


@pytest.mark.parametrize("kind", [Logistic, Tanh])
def test_a_function_with_a_scale_of_its_own_takes_that_of_the_quantize(kind):
    fused = fuse_float_functions(between_float(kind=kind))

    assert fused.ops == (kind(name="y", inputs=("x",), outputs=("y",), in_float=True),)
    verify_quantized(fused)


def test_two_functions_of_one_dequantized_tensor_are_both_fused():
    graph = between_float()
    cosine = Cos(name="cosine", inputs=("x/float",), outputs=("cosine",))
    more = (activation("cosine", SHAPE, None), activation("z", SHAPE, 0.02, 7))
    graph = replace(
        graph.with_tensors(*more),
        ops=(*graph.ops, cosine, quantize("z", "cosine")),
        outputs=("y", "z"),
    )

    fused = fuse_float_functions(graph)

    assert [(type(op).__name__, op.inputs, op.outputs) for op in fused.ops] == [
        ("Sin", ("x",), ("y",)),
        ("Cos", ("x",), ("z",)),
    ]


def test_a_function_whose_float_result_is_an_output_stays_float():
    graph = between_float(outputs=("y", "sine"))

    assert fuse_float_functions(graph) == graph


@pytest.mark.parametrize("name", ["y/dequantized", "y/float"])
def test_a_fused_function_is_written_as_the_three_operators_it_stands_for(name):
    fused = fuse_float_functions(between_float())
    taken = fused.with_tensors(activation(name, SHAPE, 0.05, 3))
    graph = replace(taken, inputs=("x", name))

    again = read_tflite(write_tflite(graph), "again")

    assert [type(op).__name__ for op in again.ops] == ["Dequantize", "Sin", "Quantize"]
    assert fuse_float_functions(again).ops == fused.ops
