"""Scales and integers of weights and biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Op, QuantParams, Tensor
from tinyml.numerics.affine import SMALLEST_SCALE, dequantize, quantize, symmetric_scale
from tinyml.ops.contract.operator import Operator
from tinyml.quantize.parameters import bias_scales, quantized_bias, symmetric_params
from tinyml.quantize.scheme import Scheme

# Half of what sums may reach, 2^31 or 2^47: the other half is left to the products.
BIAS_MAX = {DType.INT32: 2**30, DType.INT64: 2**46}


def quantize_parameters(
    graph: Graph, op: Operator, params: Mapping[str, QuantParams], scheme: Scheme
) -> dict[int, Tensor]:
    """Integers of an operator's weights and bias, by their places among its inputs.

    ``params`` are those of activations. A bias of zeros stands where there is none: runtimes refuse
    int8 convolutions without. Raises ModelError where one is computed at run time.
    """
    rule = op.quantization_rule(graph)
    if not rule.weights:
        return {}
    if op.inputs[0] not in params:
        raise ModelError(
            f"operator '{op.name}': input '{op.inputs[0]}' is another operator's weights too, "
            "expected an activation"
        )
    input_scale = params[op.inputs[0]].scale[0]
    bias = None if rule.bias is None else _bias_or_zeros(graph, op, rule.bias)
    integers = {
        index: _quantize_weights(graph, op, index, axis, bias, input_scale, scheme)
        for index, axis in rule.weights.items()
    }
    if rule.bias is not None and bias is not None:
        scales = bias_scales(next(iter(integers.values())), input_scale)
        integers[rule.bias] = quantized_bias(bias, scales, scheme.bias_of(op))
    return integers


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


def rounded_weights(graph: Graph, op: Operator, scheme: Scheme) -> Tensor:
    """Real numbers behind the integers of an operator's weights, float32, with their scales.

    A bias so large that it asks for larger scales has no say.
    """
    ((index, axis),) = op.quantization_rule(graph).weights.items()
    integers = _quantize_weights(graph, op, index, axis, None, 1.0, scheme)
    if integers.quant is None:
        raise ValueError(f"weights '{integers.name}' are not quantized")
    data = dequantize(integers.constant, integers.quant)
    return replace(integers, dtype=DType.FLOAT32, data=data)


def _quantize_weights(
    graph: Graph,
    op: Op,
    index: int,
    axis: int | None,
    bias: Tensor | None,
    input_scale: float,
    scheme: Scheme,
) -> Tensor:
    """Symmetric, with the scales they came with if they did."""
    weights = graph.tensor(op.inputs[index])
    if weights.data is None:
        raise ModelError(
            f"operator '{op.name}': weights '{weights.name}' are computed at run time, "
            "expected a constant"
        )
    channels = axis if scheme.per_channel else None
    largest = scheme.weight_max(op)
    scale = _stored_scale(weights, channels, largest)
    if scale is None:
        scale = symmetric_scale(_magnitudes(weights.constant, channels), largest)
    scale = np.maximum(scale, _smallest_scale(bias, input_scale, scale.size, scheme.bias_of(op)))
    quant = symmetric_params(scale, channels)
    data = np.clip(quantize(weights.constant, quant), -largest, largest)
    return replace(weights, dtype=DType.INT8, quant=quant, data=data.astype(np.int8))


def _stored_scale(weights: Tensor, axis: int | None, largest: int) -> Array | None:
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
    if not is_same or np.abs(integers).max(initial=0) > largest:
        return None
    return np.broadcast_to(np.array(quant.scale, np.float32), (scales,))


def _magnitudes(weights: Array, axis: int | None) -> Array:
    """Largest absolute value of each slice along ``axis``, or of everything; 1 dimension.

    A slice of zeros has that of the others, or 1: its scale is that of its bias too, and no coarser
    than theirs.
    """
    slices = weights[None] if axis is None else np.moveaxis(weights, axis, 0)
    largest = np.abs(slices.reshape(len(slices), -1)).max(axis=1)
    return np.asarray(np.where(largest > 0, largest, largest.max() or 1))


def _smallest_scale(bias: Tensor | None, input_scale: float, scales: int, dtype: DType) -> Array:
    """Weight scales below this would overflow a bias of ``dtype``."""
    if bias is None:
        return np.zeros(1, np.float32)
    largest = np.abs(bias.constant.reshape(-1))
    if scales == 1:
        largest = largest.max(keepdims=True)
    return np.asarray(largest / (BIAS_MAX[dtype] * input_scale), np.float32)
