from dataclasses import replace

import pytest
from float_runs import assert_computes_the_same, kinds
from graphs import (
    activation,
    add,
    conv_2d,
    depthwise_conv_2d,
    float_constant,
    float_weights,
    fully_connected,
    make_graph,
    reshape,
)

from tinyml.ir.graph import Graph, Op, QuantParams
from tinyml.ops.contract.activation import Activation
from tinyml.ops.mul import Mul
from tinyml.ops.sub import Sub
from tinyml.passes.fold_affine import fold_affine

IMAGE = (1, 4, 5, 3)
PER_CHANNEL = float_constant("c", [0.5, -2.0, 3.0])


def mul(output: str, first: str, second: str) -> Mul:
    return Mul(name=output, inputs=(first, second), outputs=(output,), activation=Activation.NONE)


def sub(output: str, first: str, second: str) -> Sub:
    return Sub(name=output, inputs=(first, second), outputs=(output,), activation=Activation.NONE)


def convolved(*after: Op, constant=PER_CHANNEL, fused=Activation.NONE, bias=True) -> Graph:
    """A 1x1 convolution z of x, then operators the last of which writes y."""
    tensors = [
        activation("x", IMAGE, None),
        float_weights("w", (3, 1, 1, 3), seed=1),
        float_weights("b", (3,), seed=2),
        constant,
        *(activation(name, IMAGE, None) for name in ("z", "t", "y")),
    ]
    inputs = ("x", "w", "b") if bias else ("x", "w")
    ops = [conv_2d("z", *inputs, activation=fused), *after]
    return make_graph(tensors, ops, ["x"], ["y"]).pruned()


@pytest.mark.parametrize(
    "after",
    [mul("y", "z", "c"), mul("y", "c", "z"), add("y", "z", "c"), add("y", "c", "z")],
    ids=["z * c", "c * z", "z + c", "c + z"],
)
@pytest.mark.parametrize("constant", [PER_CHANNEL, float_constant("c", [-1.5])])
def test_a_factor_or_an_offset_goes_into_the_layer_before(after, constant):
    graph = convolved(after, constant=constant)

    folded = fold_affine(graph)

    assert kinds(folded) == ["Conv2D"]
    assert folded.ops[0].outputs == ("y",)
    assert_computes_the_same(graph, folded)


def test_a_subtraction_of_a_constant_is_folded_and_one_from_a_constant_is_not():
    forwards, backwards = convolved(sub("y", "z", "c")), convolved(sub("y", "c", "z"))

    assert kinds(fold_affine(forwards)) == ["Conv2D"]
    assert_computes_the_same(forwards, fold_affine(forwards))
    assert fold_affine(backwards) == backwards


def test_a_layer_without_bias_gets_one():
    graph = convolved(add("y", "z", "c"), bias=False)

    (layer,) = (folded := fold_affine(graph)).ops

    bias = folded.tensor(layer.inputs[2])  # runtimes refuse to run the layer without
    assert bias.constant.tolist() == PER_CHANNEL.constant.tolist()


def test_factor_and_offset_fold_one_after_the_other():
    graph = convolved(mul("t", "z", "c"), add("y", "t", "c"))

    assert kinds(fold_affine(graph)) == ["Conv2D"]
    assert_computes_the_same(graph, fold_affine(graph))


def test_a_1x1_depthwise_convolution_with_a_filter_a_channel_is_folded():
    graph = convolved(depthwise_conv_2d("y", "z", "dw", "c"))
    graph = graph.with_tensors(float_weights("dw", (1, 1, 1, 3), seed=4), PER_CHANNEL)

    folded = fold_affine(graph)

    assert kinds(folded) == ["Conv2D"]
    assert_computes_the_same(graph, folded)


def test_a_bias_is_folded_through_a_reshape_that_keeps_the_channels():
    tensors = [
        activation("x", (4, 2), None),
        float_weights("w", (3, 2), seed=1),
        PER_CHANNEL,
        activation("z", (4, 3), None),
        *(activation(name, (1, 4, 3), None) for name in ("r", "y")),
    ]
    ops = [fully_connected("z", "x", "w"), reshape("r", "z", (1, 4, 3)), add("y", "r", "c")]
    graph = make_graph(tensors, ops, ["x"], ["y"])

    assert kinds(fold_affine(graph)) == ["FullyConnected", "Reshape"]
    assert_computes_the_same(graph, fold_affine(graph))


@pytest.mark.parametrize(
    "graph",
    [
        convolved(mul("y", "z", "c"), fused=Activation.RELU),
        replace(convolved(mul("y", "z", "c")), outputs=("y", "z")),
        convolved(mul("y", "z", "c"), constant=float_weights("c", (4, 5, 1))),
        convolved(mul("t", "z", "c"), add("y", "z", "t")),
    ],
    ids=["an activation", "an output", "one factor a pixel", "another reader"],
)
def test_what_would_change_another_value_stays(graph):
    assert fold_affine(graph) == graph


def test_a_layer_whose_output_has_a_scale_stays():
    graph = convolved(mul("y", "z", "c"))
    noted = replace(graph.tensor("z"), quant=QuantParams.per_tensor(0.1, 0))
    graph = graph.with_tensors(noted)

    assert fold_affine(graph) == graph


def test_weights_that_another_layer_reads_are_copied():
    graph = convolved(conv_2d("t", "z", "w", "b"), mul("y", "t", "c"))

    folded = fold_affine(graph)

    first, second = folded.ops
    assert first.inputs[1] == "w" != second.inputs[1]
    assert_computes_the_same(graph, folded)
