"""Graphs of operators with weights: scales such that outputs neither vanish nor all saturate."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from single_operator import (
    INT8_DEVIATION,
    OUTPUT,
    SOURCE,
    Draw,
    activation,
    int8_tensor,
    single_operator,
    symmetric,
)

from draw.corners import corners_and_drawn
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Shape, Tensor
from tinyml.ops.contract.dtypes import PARAMETERS
from tinyml.ops.contract.operator import Operator

LARGEST_BIASES = {DType.INT32: 2**29, DType.INT64: 2**45}


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """What a case fixes of its numbers; None is drawn.

    ``multiplier`` is input scale x largest weight scale / output scale; weights lie within
    ``weight_limit``.
    """

    multiplier: float | None = None
    weight_limit: int = 127
    source_zero_point: int | None = None
    output_zero_point: int | None = None


DRAWN = Numbers()

# Multipliers near 1, above 1, tiny, and too small for any shift; zero points at the ends.
EXTREMES = (
    Numbers(multiplier=1.0, weight_limit=1),
    Numbers(multiplier=0.99999994, weight_limit=1),
    Numbers(multiplier=1.7, weight_limit=1),
    Numbers(multiplier=12.5, weight_limit=1),
    Numbers(multiplier=1e-5),
    Numbers(multiplier=1.3e-7),
    Numbers(multiplier=1e-11),
    # TFLite's own quantizer never gives the weight -128, others do.
    Numbers(weight_limit=128),
    Numbers(source_zero_point=-128, output_zero_point=-128),
    Numbers(source_zero_point=127, output_zero_point=127),
    Numbers(source_zero_point=0, output_zero_point=0),
    Numbers(source_zero_point=127, output_zero_point=-128),
    Numbers(source_zero_point=-128, output_zero_point=127),
)


def cases_of_four_bits(
    name: str,
    corners: Iterable[Any],
    drawn: Callable[[Draw], Any],
    graph: Callable[[Draw, Any], Graph],
    count: int,
) -> Iterator[tuple[Any, Graph]]:
    """``corners_and_drawn`` with weights in [-7, 7], as quantizers of four bits give them."""
    corners = map(_in_four_bits, corners)
    return corners_and_drawn(name, corners, lambda draw: _in_four_bits(drawn(draw)), graph, count)


def _in_four_bits(parameters: Any) -> Any:
    limit = min(parameters.numbers.weight_limit, 7)
    return replace(parameters, numbers=replace(parameters.numbers, weight_limit=limit))


def weighted_graph(
    draw: Draw,
    op: Operator,
    source_shape: Shape,
    weights_shape: Shape,
    *,
    channel_axis: int,
    per_channel: bool,
    taps: int,
    numbers: Numbers,
    dtype: DType = DType.INT8,
    bias: DType | None = None,
) -> Graph:
    """The graph of ``op``, whose inputs are source of ``dtype``, weights and perhaps bias.

    The bias is of the dtype that goes with the source's unless ``bias`` says another.
    """
    channels = weights_shape[channel_axis]
    multiplier = numbers.multiplier or _middling_multiplier(taps, numbers.weight_limit)
    source_scale, weight_scales = draw.scale(), _weight_scales(draw, channels if per_channel else 1)
    output_scale = source_scale * max(weight_scales) / multiplier
    multipliers = np.resize(source_scale * weight_scales / output_scale, channels)
    tensors = [
        activation(
            SOURCE,
            source_shape,
            dtype,
            QuantParams.per_tensor(source_scale, draw.zero_point(numbers.source_zero_point)),
        ),
        int8_tensor(
            "weights",
            weights_shape,
            _quant(weight_scales, channel_axis if per_channel else None),
            draw.int8(weights_shape, numbers.weight_limit),
        ),
    ]
    if "bias" in op.inputs:
        quant = _quant(source_scale * weight_scales, 0 if per_channel else None)
        tensors.append(_bias_tensor(draw, dtype, multipliers, quant, bias or PARAMETERS[dtype][1]))
    output_quant = QuantParams.per_tensor(output_scale, draw.zero_point(numbers.output_zero_point))
    is_wide = dtype is DType.INT16
    return single_operator(op, tensors, symmetric(output_quant) if is_wide else output_quant)


def names(*, bias: bool) -> dict[str, tuple[str, ...]]:
    """The tensors of an operator with weights, as its constructor takes them."""
    inputs = (SOURCE, "weights", "bias") if bias else (SOURCE, "weights")
    return {"inputs": inputs, "outputs": (OUTPUT,)}


def _middling_multiplier(taps: int, weight_limit: int) -> float:
    """One that spreads sums of ``taps`` random products over most of int8."""
    return 50 / (INT8_DEVIATION * 0.58 * weight_limit * taps**0.5)


def _weight_scales(draw: Draw, count: int) -> Array:
    return draw.scale(1e-4, 0.1) * draw.rng.choice([1, 0.7, 0.3, 0.01], count)


def _quant(scales: Array, axis: int | None) -> QuantParams:
    return QuantParams(tuple(map(float, scales)), (0,) * len(scales), axis)


def _bias_tensor(
    draw: Draw, dtype: DType, multipliers: Array, quant: QuantParams, bias: DType
) -> Tensor:
    """Biases that move outputs by up to 40 of 256 parts of their range."""
    wanted = draw.rng.uniform(-40, 40, len(multipliers)) / multipliers
    if dtype is DType.INT16:
        wanted *= 256
    limit = LARGEST_BIASES[bias]
    data = np.clip(wanted, -limit, limit).astype(bias.numpy)
    return Tensor("bias", data.shape, bias, quant, data)
