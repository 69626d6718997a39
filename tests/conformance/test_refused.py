"""Variants without an exact kernel are refused with a ModelError, before they give wrong bits."""

import math
from dataclasses import replace

import numpy as np
import pytest
from draw.weighted import DRAWN, Numbers, names, weighted_graph
from modules import module_of
from single_operator import OUTPUT, SOURCE, Draw, int8_tensor, single_operator

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.add import Add
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.batch_matmul import BatchMatMul
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.target import Target
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.hard_swish import HardSwish
from tinyml.ops.l2_normalization import OUTPUT_QUANT as UNIT_QUANT
from tinyml.ops.l2_normalization import L2Normalization
from tinyml.ops.mean import Mean
from tinyml.ops.mul import Mul
from tinyml.ops.pad import Pad
from tinyml.ops.prelu import Prelu
from tinyml.ops.quantize import Quantize
from tinyml.ops.select import Select
from tinyml.ops.sin import Sin
from tinyml.ops.softmax import OUTPUT_QUANT, Softmax
from tinyml.ops.transpose_conv import TransposeConv
from tinyml.plan.choose import choose_kernels

QUANT = QuantParams.per_tensor(0.1, 3)
OTHER_QUANT = QuantParams.per_tensor(0.2, 3)
ONE = {"inputs": (SOURCE,), "outputs": (OUTPUT,)}
TWO = {"inputs": ("first", "second"), "outputs": (OUTPUT,)}
SAME_WINDOW = {"stride": (1, 1), "padding": Padding.SAME, "activation": Activation.NONE}

CONV = Conv2D(name="conv", **names(bias=True), **SAME_WINDOW, dilation=(1, 1))
DEPTHWISE = DepthwiseConv2D(
    name="depthwise", **names(bias=True), **SAME_WINDOW, dilation=(1, 1), multiplier=1
)
FULLY_CONNECTED = FullyConnected(
    name="fully_connected",
    **names(bias=True),
    keep_num_dims=False,
    activation=Activation.NONE,
)
ADD = Add(name="add", **TWO, activation=Activation.NONE)


def generate(graph: Graph) -> None:
    module_of(graph, "refused", PORTABLE, cmsis_nn=5)


def conv_graph(source: Shape, weights: Shape, *, per_channel: bool = True) -> Graph:
    return weighted_graph(
        Draw("refused"),
        CONV,
        source,
        weights,
        channel_axis=0,
        per_channel=per_channel,
        taps=9,
        numbers=DRAWN,
    )


def test_weights_that_take_a_part_of_the_channels_are_refused():
    with pytest.raises(ModelError, match="expected all or an equal share"):
        conv_graph((1, 4, 4, 6), (2, 3, 3, 3))


@pytest.mark.parametrize("zero_point", [-128, 1])
def test_weights_with_a_zero_point_are_refused(zero_point):
    graph = conv_graph((1, 4, 4, 6), (2, 3, 3, 6), per_channel=False)
    weights = graph.tensor("weights")
    quant = QuantParams(weights.quant.scale, (zero_point,))

    with pytest.raises(ModelError, match="zero point"):
        generate(graph.with_tensors(replace(weights, quant=quant)))


def test_a_row_longer_than_16_bits_count_is_convolved_by_a_kernel_of_ours():
    graph = conv_graph((1, 1, 70_000, 1), (1, 1, 3, 1))

    (step,) = choose_kernels(graph, Target(cmsis_nn=5))

    assert [call.function for call in step.kernel.calls] == ["tinyml_convolve_s8"]
    assert "at most 65535" in step.refused["arm_convolve_s8"]


def test_a_row_longer_than_15_bits_count_is_refused_by_a_depthwise_convolution():
    graph = weighted_graph(
        Draw("refused"),
        DEPTHWISE,
        (1, 1, 40_000, 1),
        (1, 1, 3, 1),
        channel_axis=3,
        per_channel=True,
        taps=3,
        numbers=DRAWN,
    )

    with pytest.raises(ModelError, match="at most 32767"):
        generate(graph)


def test_a_fully_connected_layer_per_channel_is_refused_unless_lowered():
    graph = weighted_graph(
        Draw("refused"),
        FULLY_CONNECTED,
        (1, 8),
        (4, 8),
        channel_axis=0,
        per_channel=True,
        taps=8,
        numbers=DRAWN,
    )

    with pytest.raises(ModelError, match="must be lowered first"):
        generate(graph)


def test_shapes_that_do_not_broadcast_are_refused():
    tensors = [int8_tensor("first", (2, 3), QUANT), int8_tensor("second", (2, 1, 2), QUANT)]

    with pytest.raises(
        ModelError, match=r"'first' \(2, 3\), 'second' \(2, 1, 2\) do not broadcast"
    ):
        single_operator(ADD, tensors, QUANT)


def test_more_alternations_of_broadcasting_than_the_kernel_walks_are_refused():
    tensors = [
        int8_tensor("first", (2, 1, 2, 1, 2, 1), QUANT),
        int8_tensor("second", (1, 2, 1, 2, 1, 2), QUANT),
    ]

    with pytest.raises(ModelError, match="6 separate groups of dimensions"):
        generate(single_operator(ADD, tensors, QUANT))


def test_a_sum_whose_output_scale_is_far_too_small_is_refused():
    tensors = [int8_tensor("first", (3,), QUANT), int8_tensor("second", (3,), QUANT)]
    graph = single_operator(ADD, tensors, QuantParams.per_tensor(1e-8, 0))

    with pytest.raises(ModelError, match="too small beside"):
        generate(graph)


def test_concatenation_of_different_scales_is_refused():
    tensors = [int8_tensor("first", (3,), QUANT), int8_tensor("second", (3,), OTHER_QUANT)]

    with pytest.raises(ModelError, match="must share scale and zero point"):
        single_operator(Concatenation(name="concatenation", **TWO, axis=0), tensors, QUANT)


def test_a_pool_that_rescales_is_refused():
    pool = AveragePool2D(name="pool", **ONE, **SAME_WINDOW, size=(2, 2))

    with pytest.raises(ModelError, match="must share scale and zero point"):
        single_operator(pool, [int8_tensor(SOURCE, (1, 4, 4, 1), QUANT)], OTHER_QUANT)


def test_a_mean_over_three_separate_groups_of_dimensions_is_refused():
    mean = Mean(name="mean", **ONE, axes=(0, 2, 4), keep_dims=True)
    graph = single_operator(mean, [int8_tensor(SOURCE, (2, 2, 2, 2, 2), QUANT)], QUANT)

    with pytest.raises(ModelError, match="more than two separate groups"):
        generate(graph)


def test_padding_of_five_dimensions_is_refused():
    pad = Pad(name="pad", **ONE, paddings=((1, 1),) * 5)
    graph = single_operator(pad, [int8_tensor(SOURCE, (1, 1, 1, 1, 1), QUANT)], QUANT)

    with pytest.raises(ModelError, match="more than 4 dimensions"):
        generate(graph)


def test_a_softmax_of_another_output_scale_is_refused():
    softmax = Softmax(name="softmax", **ONE, beta=1.0)

    with pytest.raises(ModelError, match=r"must have scale 0\.00390625"):
        single_operator(softmax, [int8_tensor(SOURCE, (1, 4), QUANT)], OTHER_QUANT)


def test_a_softmax_of_vanishing_scale_is_refused():
    softmax = Softmax(name="softmax", **ONE, beta=1.0)
    source = int8_tensor(SOURCE, (1, 4), QuantParams.per_tensor(1e-9, 0))

    with pytest.raises(ModelError, match="too small for differences"):
        generate(single_operator(softmax, [source], OUTPUT_QUANT))


def test_float_tensors_inside_a_model_are_refused():
    exit_op = Dequantize(name="float", inputs=(SOURCE,), outputs=("float",))
    entry_op = Quantize(name=OUTPUT, inputs=("float",), outputs=(OUTPUT,))
    tensors = (
        int8_tensor(SOURCE, (3,), QUANT),
        Tensor("float", (3,), DType.FLOAT32),
        int8_tensor(OUTPUT, (3,), QUANT),
    )
    by_name = {tensor.name: tensor for tensor in tensors}
    graph = Graph("float inside", by_name, (exit_op, entry_op), (SOURCE,), (OUTPUT,))

    with pytest.raises(ModelError, match="2 of the model's 2 operators cannot run"):
        generate(graph)


def test_depthwise_layers_without_bias_get_zeros_where_the_mve_kernel_would_read_past_null():
    op = replace(DEPTHWISE, inputs=(SOURCE, "weights"))
    graph = weighted_graph(
        Draw("refused"),
        op,
        (1, 3, 3, 125),
        (1, 3, 3, 125),
        channel_axis=3,
        per_channel=True,
        taps=9,
        numbers=DRAWN,
    )

    weights = module_of(graph, "without_bias", PORTABLE, cmsis_nn=5).files["without_bias_weights.c"]

    assert "zero_bias[125]" in weights


def test_a_comparison_of_scales_from_1_up_is_refused():
    coarse = QuantParams.per_tensor(1.0, 0)
    tensors = [int8_tensor("first", (3,), QUANT), int8_tensor("second", (3,), coarse)]
    comparison = Comparison(name="less", **TWO, relation=Relation.LESS)

    with pytest.raises(ModelError, match="undefined from there on"):
        generate(single_operator(comparison, tensors, None))


def test_a_product_whose_output_scale_is_far_too_small_is_refused():
    tensors = [int8_tensor("first", (3,), QUANT), int8_tensor("second", (3,), QUANT)]
    mul = Mul(name="mul", **TWO, activation=Activation.NONE)

    with pytest.raises(ModelError, match="for 32-bit products"):
        generate(single_operator(mul, tensors, QuantParams.per_tensor(1e-8, 0)))


def test_int8_of_a_function_without_an_int8_kernel_is_refused():
    with pytest.raises(ModelError, match="is int8, for which TFLite has no kernel"):
        single_operator(Sin(name="sin", **ONE), [int8_tensor(SOURCE, (3,), QUANT)], QUANT)


def test_a_hard_swish_whose_output_scale_is_far_too_small_is_refused():
    graph = single_operator(
        HardSwish(name="hard_swish", **ONE),
        [int8_tensor(SOURCE, (3,), QUANT)],
        QuantParams.per_tensor(1e-4, 0),
    )

    with pytest.raises(ModelError, match="too fine for 16-bit fixed point"):
        generate(graph)


def test_slopes_that_do_not_broadcast_to_the_input_are_refused():
    tensors = [int8_tensor("first", (1, 3), QUANT), int8_tensor("second", (2, 3), QUANT)]

    with pytest.raises(ModelError, match="does not broadcast to the input's shape"):
        single_operator(Prelu(name="prelu", **TWO), tensors, QUANT)


def test_inputs_of_different_types_are_refused():
    tensors = [int8_tensor("first", (3,), QUANT), Tensor("second", (3,), DType.FLOAT32)]

    with pytest.raises(ModelError, match="inputs have different types"):
        single_operator(ADD, tensors, QUANT)


def test_a_choice_between_tensors_of_different_scales_is_refused():
    tensors = [
        Tensor(SOURCE, (3,), DType.BOOL),
        int8_tensor("first", (3,), QUANT),
        int8_tensor("second", (3,), OTHER_QUANT),
    ]
    names = (SOURCE, "first", "second")
    select = Select(name="select", inputs=names, outputs=(OUTPUT,), by_row=False)

    with pytest.raises(ModelError, match="must share scale and zero point"):
        single_operator(select, tensors, QUANT)


def test_rows_too_long_for_the_sum_of_their_squares_are_refused():
    normalization = L2Normalization(name="l2", **ONE)
    graph = single_operator(normalization, [int8_tensor(SOURCE, (1, 40_000), QUANT)], UNIT_QUANT)

    with pytest.raises(ModelError, match="rows of 40000 elements"):
        generate(graph)


SUMMING = (
    (CONV, (2, 3, 3, 6), 0),
    (DEPTHWISE, (1, 3, 3, 6), 3),
    (
        TransposeConv(name="transposed", **names(bias=True), **SAME_WINDOW, output_size=(4, 4)),
        (2, 3, 3, 6),
        0,
    ),
    (FULLY_CONNECTED, (2, 96), 0),
)


def with_last_bias(op: Operator, weights: Shape, axis: int, bias: int) -> Graph:
    """All weights 127, inputs between -128 and 127, and a bias for the last channel alone."""
    numbers = Numbers(source_zero_point=0)
    graph = weighted_graph(
        Draw("refused sums"),
        op,
        (1, 4, 4, 6),
        weights,
        channel_axis=axis,
        per_channel=False,
        taps=9,
        numbers=numbers,
    )
    data = np.zeros(weights[axis], np.int32)
    data[-1] = bias
    largest = np.full(weights, 127, np.int8)
    return graph.with_tensors(
        replace(graph.tensor("weights"), data=largest), replace(graph.tensor("bias"), data=data)
    )


@pytest.mark.parametrize(("op", "weights", "axis"), SUMMING)
def test_sums_that_just_fit_32_bits_are_taken_and_those_that_just_do_not_are_refused(
    op, weights, axis
):
    taps = math.prod(weights) // weights[axis]
    most, least = 2**31 - 1 - taps * 127 * 127, -(2**31) + taps * 127 * 128
    for bias in (most, least):
        generate(with_last_bias(op, weights, axis, bias))

    channel = weights[axis] - 1
    for bias, sum_ in ((most + 1, 2**31), (least - 1, -(2**31) - 1)):
        with pytest.raises(ModelError, match=f"channel {channel} of .* may sum up to {sum_}, beyo"):
            generate(with_last_bias(op, weights, axis, bias))


def test_a_matrix_product_of_more_terms_than_32_bits_hold_is_refused():
    quant = QuantParams.per_tensor(0.1, -128)
    op = BatchMatMul(name="product", **TWO, adj_x=False, adj_y=False)

    def product(depth: int) -> Graph:
        tensors = [
            int8_tensor("first", (1, depth), quant),
            int8_tensor("second", (depth, 1), quant),
        ]
        return single_operator(op, tensors, QUANT)

    generate(product(33_025))
    with pytest.raises(ModelError, match="multiply in parts of at most 33025"):
        generate(product(33_026))
