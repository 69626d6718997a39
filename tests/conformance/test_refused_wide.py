"""Variants of 16x8 without an exact kernel are refused with a sentence that says what to do."""

import numpy as np
import pytest
from modules import module_of
from single_operator import OUTPUT, SOURCE, single_operator

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.abs import Abs
from tinyml.ops.add import Add
from tinyml.ops.batch_matmul import BatchMatMul
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import PORTABLE
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.contract.window import Padding
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.fully_connected import FullyConnected
from tinyml.ops.leaky_relu import LeakyRelu
from tinyml.ops.logistic import Logistic
from tinyml.ops.mean import Mean
from tinyml.ops.mul import Mul
from tinyml.ops.quantize import Quantize
from tinyml.ops.relu import Relu
from tinyml.ops.sin import Sin
from tinyml.ops.softmax import WIDE_OUTPUT_QUANT, Softmax
from tinyml.ops.sub import Sub
from tinyml.ops.tanh import Tanh
from tinyml.ops.transpose_conv import TransposeConv

ONE = {"inputs": (SOURCE,), "outputs": (OUTPUT,)}
TWO = {"inputs": ("first", "second"), "outputs": (OUTPUT,)}
WEIGHTED = {"inputs": (SOURCE, "weights", "bias"), "outputs": (OUTPUT,)}
NONE = Activation.NONE
WINDOW = {"stride": (1, 1), "padding": Padding.SAME, "activation": NONE}

WEIGHTED_OPS = (
    (Conv2D(name="op", **WEIGHTED, **WINDOW, dilation=(1, 1)), (2, 3, 3, 2)),
    (DepthwiseConv2D(name="op", **WEIGHTED, **WINDOW, dilation=(1, 1), multiplier=1), (1, 3, 3, 2)),
    (TransposeConv(name="op", **WEIGHTED, **WINDOW, output_size=(4, 4)), (2, 3, 3, 2)),
    (FullyConnected(name="op", **WEIGHTED, keep_num_dims=False, activation=NONE), (2, 32)),
)


def quant(scale: float) -> QuantParams:
    return QuantParams.per_tensor(scale, 0)


def int16(name: str, shape: Shape, scale: float = 0.001) -> Tensor:
    return Tensor(name, shape, DType.INT16, quant(scale))


def generate(graph: Graph) -> None:
    module_of(graph, "refused", PORTABLE, cmsis_nn=5)


def unary(op: Operator, source: float, output: QuantParams) -> Graph:
    return single_operator(op, [int16(SOURCE, (1, 4), source)], output)


def weighted(op: Operator, weights: Shape, *, output: float, bias: int = 0) -> Graph:
    tensors = [
        int16(SOURCE, (1, 4, 4, 2)),
        Tensor("weights", weights, DType.INT8, quant(0.01), np.full(weights, 100, np.int8)),
        Tensor("bias", (2,), DType.INT64, quant(0.001 * 0.01), np.full(2, bias, np.int64)),
    ]
    return single_operator(op, tensors, quant(output))


@pytest.mark.parametrize(("op", "weights"), WEIGHTED_OPS)
def test_an_output_scale_too_small_for_the_sums_is_refused(op, weights):
    with pytest.raises(ModelError, match=r"has scale 9\.99999972e-10, too small for sums"):
        generate(weighted(op, weights, output=1e-9))


@pytest.mark.parametrize(("op", "weights"), WEIGHTED_OPS)
def test_a_bias_beyond_the_47_bits_the_reference_multiplies_is_refused(op, weights):
    with pytest.raises(ModelError, match="too small for sums of up to 1407"):
        generate(weighted(op, weights, output=1e5, bias=2**47))


def test_a_matrix_product_too_fine_for_its_sums_is_refused():
    op = BatchMatMul(name="op", **TWO, adj_x=False, adj_y=False)
    tensors = [int16("first", (3, 5)), int16("second", (5, 2))]

    with pytest.raises(ModelError, match="too small for sums of up to 5368709120 times"):
        generate(single_operator(op, tensors, quant(1e-6)))


@pytest.mark.parametrize("kind", [Logistic, Tanh])
def test_a_sigmoid_of_a_scale_beyond_32_bits_is_refused(kind):
    with pytest.raises(ModelError, match=r"has scale 6, expected less than 5\.33"):
        generate(unary(kind(name="op", **ONE), 6.0, WIDE_OUTPUT_QUANT))


@pytest.mark.parametrize("kind", [Logistic, Tanh])
def test_a_sigmoid_of_another_output_scale_is_refused(kind):
    with pytest.raises(ModelError, match=r"must have scale 3\.05175781e-05, zero point 0"):
        unary(kind(name="op", **ONE), 0.001, quant(0.001))


@pytest.mark.parametrize("op", [LeakyRelu(name="op", **ONE, alpha=0.1), Abs(name="op", **ONE)])
def test_a_slope_too_steep_for_32_bits_is_refused(op):
    with pytest.raises(ModelError, match="too small for 32 bits where int16 is multiplied by"):
        generate(unary(op, 1.0, quant(1e-5)))


@pytest.mark.parametrize(
    "op",
    [
        Quantize(name="op", **ONE, dtype=DType.INT16),
        Quantize(name="op", **ONE, dtype=DType.INT8),
        Relu(name="op", **ONE, activation=Activation.RELU),
    ],
)
def test_a_rescaling_beyond_32_bits_is_refused(op):
    with pytest.raises(ModelError, match="too small beside the input's 1 for 32 bits"):
        generate(unary(op, 1.0, quant(1e-5)))


@pytest.mark.parametrize("kind", [Add, Sub])
def test_a_sum_whose_output_scale_is_far_too_small_is_refused(kind):
    graph = single_operator(
        kind(name="op", **TWO, activation=NONE),
        [int16("first", (3,)), int16("second", (3,))],
        quant(1e-8),
    )

    with pytest.raises(ModelError, match="too small beside"):
        generate(graph)


@pytest.mark.parametrize("kind", [Add, Sub])
def test_a_sum_by_shifts_alone_is_refused(kind):
    tensors = {name: int16(name, (3,), 2.0**-12) for name in ("first", "second", OUTPUT)}
    node = TfliteNode(
        opcode=kind.opcodes[0],
        name="op",
        **TWO,
        options={"potScaleInt16": True, "fusedActivationFunction": 0},
        tensors=tensors,
    )

    with pytest.raises(ModelError, match="are powers of two and pot_scale_int16 is set"):
        kind.from_tflite(node)


def test_a_product_whose_output_scale_is_finer_than_the_inputs_is_refused():
    tensors = [int16("first", (3,)), int16("second", (3,))]
    mul = Mul(name="op", **TWO, activation=NONE)

    with pytest.raises(ModelError, match="for 32-bit products"):
        generate(single_operator(mul, tensors, quant(4e-7)))


def test_a_softmax_of_another_output_scale_is_refused():
    with pytest.raises(ModelError, match=r"must have scale 3\.05175781e-05"):
        unary(Softmax(name="op", **ONE, beta=1.0), 0.001, quant(1 / 256))


@pytest.mark.parametrize(("scale", "row"), [(4.0, 4), (0.001, 65536)])
def test_a_softmax_beyond_32_bits_is_refused(scale, row):
    op = Softmax(name="op", **ONE, beta=1.0)
    graph = single_operator(op, [int16(SOURCE, (1, row), scale)], WIDE_OUTPUT_QUANT)

    with pytest.raises(ModelError, match="too much for 32 bits"):
        generate(graph)


def test_a_mean_of_more_values_than_32_bits_hold_the_sum_of_is_refused():
    op = Mean(name="op", **ONE, axes=(1,), keep_dims=False)

    with pytest.raises(ModelError, match="the sum of 65537 values may leave 32 bits"):
        generate(single_operator(op, [int16(SOURCE, (1, 65537))], quant(0.001)))


def test_a_float_function_between_int16_is_refused():
    with pytest.raises(ModelError, match="is int16, expected float32 or int8"):
        unary(Sin(name="op", **ONE), 0.001, quant(0.001))
    with pytest.raises(ModelError, match="a float function would take a table of 65,536 values"):
        unary(Logistic(name="op", **ONE, in_float=True), 0.001, WIDE_OUTPUT_QUANT)


def test_a_comparison_of_int16_of_two_scales_is_refused():
    tensors = [int16("first", (3,), 0.001), int16("second", (3,), 0.002)]
    less = Comparison(name="op", **TWO, relation=Relation.LESS)

    with pytest.raises(ModelError, match="whose integers TFLite compares; bring both to one scale"):
        generate(single_operator(less, tensors, None))


def test_whether_int16_is_not_equal_is_refused():
    unequal = Comparison(name="op", **TWO, relation=Relation.NOT_EQUAL)

    with pytest.raises(ModelError, match="use EQUAL and LOGICAL_NOT"):
        single_operator(unequal, [int16("first", (3,)), int16("second", (3,))], None)
