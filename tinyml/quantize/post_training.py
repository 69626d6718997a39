"""Post-training quantization: a float graph and its ranges to an int8 or 16x8 graph.

The scheme is the whitepaper's recommendation (arXiv 1806.08342, sections 2 and 3): affine
activations per tensor, symmetric weights per channel, int32 biases at input scale x weight scale.
With int16 activations, which are symmetric, biases are int64, as TFLite's converter has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyml.errors import InputError, ModelError
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.numerics.affine import (
    SMALLEST_SCALE,
    dequantize,
    quantize,
    symmetric_scale,
)
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.contract.operator import QuantizationRule, operators
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.multiply_by_reciprocals import multiply_by_reciprocals
from tinyml.passes.take_cast_inputs import take_cast_inputs
from tinyml.quantize.activations import (
    choose_activation_params,
    separate_constants,
    split_fixed_inputs,
)
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.casts import lower_cast
from tinyml.quantize.comparisons import lower_comparison
from tinyml.quantize.masks import bound_masks
from tinyml.quantize.parameters import (
    WEIGHT_MAX,
    add_parameter,
    bias_scales,
    quantized_bias,
    symmetric_params,
)
from tinyml.quantize.standardized import (
    Standardized,
    with_standardization,
    without_standardization,
)

# Half of what sums may reach, 2^31 or 2^47: the other half is left to the products.
BIAS_MAX = {DType.INT32: 2**30, DType.INT64: 2**46}

ACTIVATIONS = (DType.INT8, DType.INT16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """Choices of post-training quantization."""

    per_channel: bool = True
    activations: DType = DType.INT8  # or INT16

    def __post_init__(self) -> None:
        if self.activations not in ACTIVATIONS:
            names = " or ".join(f"DType.{dtype.name}" for dtype in ACTIVATIONS)
            raise InputError(f"activations are to be {self.activations!r}, expected {names}")

    @property
    def bias(self) -> DType:
        """The dtype of biases."""
        return PARAMETERS[self.activations][1]


INT8 = Scheme()


def quantize_graph(graph: Graph, table: CalibrationTable, scheme: Scheme = INT8) -> Graph:
    """Give every tensor its integers; inputs and outputs are of the scheme's dtype.

    An input that the model standardizes and that int8 could not hold before stays float32.

    Raises ModelError where a tensor has no range: it did not occur in the calibration; or where a
    CAST of real numbers would not give the integers that it gave.
    """
    dtype = scheme.activations
    _refuse_nan(graph)
    graph = take_cast_inputs(graph)
    lost: tuple[Standardized, ...] = ()
    if dtype is DType.INT8:  # a table of int16 would have 65,536 values
        graph, lost = without_standardization(graph, table)
        graph = fuse_functions(graph)
    graph = separate_constants(multiply_by_reciprocals(graph))
    graph, table = bound_masks(graph, table)
    graph, table = split_fixed_inputs(graph, table, dtype)
    params = choose_activation_params(graph, table, dtype)
    tensors = {name: _quantize_activation(graph, name, params, dtype) for name in graph.tensors}
    ops: list[Op] = []
    for op in operators(graph):
        if isinstance(op, Cast):
            ops += lower_cast(graph, op, table, tensors)
            continue
        if isinstance(op, Comparison) and tensors[op.inputs[0]].dtype is dtype:
            ops += lower_comparison(graph, op, tensors)
            continue
        rule = op.quantization_rule(graph)
        op = op.as_int8()
        if rule.weights:
            op = replace(op, inputs=_quantize_parameters(graph, op, rule, params, tensors, scheme))
        ops.append(op)
    quantized = replace(graph, tensors=tensors, ops=tuple(ops)).pruned()
    quantized = with_standardization(quantized, lost)
    verify_quantized(quantized)
    return quantized


def _refuse_nan(graph: Graph) -> None:
    """No integer stands for what is not a number."""
    for tensor in graph.tensors.values():
        if (
            tensor.data is not None
            and tensor.dtype is DType.FLOAT32
            and np.isnan(tensor.data).any()
        ):
            raise ModelError(
                f"constant '{tensor.name}' {tensor.shape} holds NaN, expected numbers; train the "
                "model again, or take its state before training diverged"
            )


def _quantize_activation(
    graph: Graph, name: str, params: dict[str, QuantParams], dtype: DType
) -> Tensor:
    """Quantize an activation, or a constant used like one; leave weights and biases as they are."""
    tensor = graph.tensor(name)
    if name not in params:
        return tensor
    data = None if tensor.data is None else quantize(tensor.data, params[name], dtype)
    return replace(tensor, dtype=dtype, quant=params[name], data=data)


def _quantize_parameters(
    graph: Graph,
    op: Op,
    rule: QuantizationRule,
    params: dict[str, QuantParams],
    tensors: dict[str, Tensor],
    scheme: Scheme,
) -> tuple[str, ...]:
    """Add the operator's weights and bias to ``tensors`` and return its inputs by their names."""
    inputs = list(op.inputs)
    if op.inputs[0] not in params:
        raise ModelError(
            f"operator '{op.name}': input '{op.inputs[0]}' is another operator's weights too, "
            "expected an activation"
        )
    input_scale = params[op.inputs[0]].scale[0]
    bias = None if rule.bias is None else _bias_or_zeros(graph, op, rule.bias)
    for index, axis in rule.weights.items():
        weights = _quantize_weights(graph, op, index, axis, bias, input_scale, scheme)
        inputs[index] = add_parameter(tensors, weights, op)
    if bias is not None:
        weights = tensors[inputs[next(iter(rule.weights))]]
        scales = bias_scales(weights, input_scale)
        quantized = quantized_bias(bias, scales, scheme.bias)
        inputs[rule.bias :] = [add_parameter(tensors, quantized, op)]  # the bias comes last
    return tuple(inputs)


def _bias_or_zeros(graph: Graph, op: Op, index: int) -> Tensor:
    """Give the operator's float bias; runtimes refuse int8 convolutions that have none."""
    bias = graph.optional(op.inputs[index]) if index < len(op.inputs) else None
    if bias is not None:
        if not bias.is_constant:
            raise ModelError(
                f"operator '{op.name}': bias '{bias.name}' is computed at run time, "
                "expected a constant"
            )
        return bias
    data = np.zeros(graph.tensor(op.outputs[0]).shape[-1], np.float32)
    return Tensor(f"{op.name}/zero_bias", data.shape, DType.FLOAT32, data=data)


def _quantize_weights(
    graph: Graph,
    op: Op,
    index: int,
    axis: int | None,
    bias: Tensor | None,
    input_scale: float,
    scheme: Scheme,
) -> Tensor:
    weights = graph.tensor(op.inputs[index])
    if weights.data is None:
        raise ModelError(
            f"operator '{op.name}': weights '{weights.name}' are computed at run time, "
            "expected a constant"
        )
    channels = axis if scheme.per_channel else None
    scale = _stored_scale(weights, channels)
    if scale is None:
        scale = symmetric_scale(_magnitudes(weights.constant, channels), WEIGHT_MAX)
    scale = np.maximum(scale, _smallest_scale(bias, input_scale, scale.size, scheme.bias))
    quant = symmetric_params(scale, channels)
    data = np.clip(quantize(weights.constant, quant), -WEIGHT_MAX, WEIGHT_MAX)
    return replace(weights, dtype=DType.INT8, quant=quant, data=data.astype(np.int8))


def _stored_scale(weights: Tensor, axis: int | None) -> Array | None:
    """Scales that weights have from a file of integers; None where others are asked for.

    They count where the weights still are those integers: a pass may have changed the weights.
    """
    quant = weights.quant
    if quant is None or any(quant.zero_point) or quant.quantized_dimension not in {None, axis}:
        return None
    scales = 1 if axis is None else weights.shape[axis]
    if len(quant.scale) not in {1, scales} or min(quant.scale) < SMALLEST_SCALE:
        return None
    integers = quantize(weights.constant, quant, DType.INT16)
    is_same = np.array_equal(dequantize(integers, quant), weights.constant)
    if not is_same or np.abs(integers).max(initial=0) > WEIGHT_MAX:
        return None
    return np.broadcast_to(np.array(quant.scale, np.float32), (scales,))


def _magnitudes(weights: Array, axis: int | None) -> Array:
    """Largest absolute value of each slice along ``axis``, or of everything; 1 dimension."""
    slices = weights[None] if axis is None else np.moveaxis(weights, axis, 0)
    return np.asarray(np.abs(slices.reshape(len(slices), -1)).max(axis=1))


def _smallest_scale(bias: Tensor | None, input_scale: float, scales: int, dtype: DType) -> Array:
    """Weight scales below this would overflow a bias of ``dtype``."""
    if bias is None:
        return np.zeros(1, np.float32)
    largest = np.abs(bias.constant.reshape(-1))
    if scales == 1:
        largest = largest.max(keepdims=True)
    return np.asarray(largest / (BIAS_MAX[dtype] * input_scale), np.float32)
