"""Functions of one int16 value as tables of 513 points with straight lines between them.

TFLite's ``LUTPopulate`` of int16: a point for every 128 inputs and one at the end. Half of what a
line is wrong by in its middle moves each point, so that the error is spread.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyml.ir.graph import Array, QuantParams
from tinyml.numerics.affine import round_half_away

STEPS = 512
LOW, HIGH = -32768, 32767


def interpolated_table(
    function: Callable[[Array], Array],
    source: QuantParams,
    output: QuantParams,
    real: type[np.floating[Any]] = np.float64,
) -> Array:
    """Points, int16 (513,), of ``function`` between the two scales, in steps of type ``real``.

    Unlike the integers themselves, the zero points may lie outside int16.
    """
    first, last = _ends(source, real)
    low, high = _ends(output, real)
    # TFLite multiplies by the reciprocal of a range one step too small (output_scaling_inv).
    inverse_scale = real(HIGH - LOW + 1) / (high - low)
    step = (last - first) / real(STEPS)
    starts = first + np.arange(STEPS).astype(real) * step
    values = function(starts) * inverse_scale
    ends = function(first + np.arange(1, STEPS + 1).astype(real) * step) * inverse_scale
    middles = round_half_away(function(starts + step / real(2)) * inverse_scale)
    on_the_line = round_half_away((ends + round_half_away(values).astype(real)) / real(2))
    points = round_half_away(values) - round_half_away((on_the_line - middles) / 2)
    final = round_half_away(function(np.array([last], real)) * inverse_scale)
    return np.asarray(np.clip(np.concatenate([points, final]), LOW, HIGH)).astype(np.int16)


def _ends(quant: QuantParams, real: type[np.floating[Any]]) -> tuple[Any, Any]:
    """The real numbers that the ends of int16 stand for."""
    scale = real(quant.scale[0])
    low, high = (scale * real(end - quant.zero_point[0]) for end in (LOW, HIGH))
    return low, high
