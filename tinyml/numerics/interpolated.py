"""Functions of one int16 value as tables of 513 points with straight lines between them.

TFLite's ``LUTPopulate`` of int16: a point for every 128 inputs and one at the end. Half of what a
line is wrong by in its middle moves each point, so that the error is spread.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml.ir.graph import Array, QuantParams
from tinyml.numerics.affine import round_half_away

STEPS = 512
LOW, HIGH = -32768, 32767


def interpolated_table(
    function: Callable[[Array], Array], source: QuantParams, output: QuantParams
) -> Array:
    """Points, int16 (513,), of ``function`` (float64 to float64) between the two scales.

    Unlike the integers themselves, the zero points may lie outside int16.
    """
    # TFLite multiplies by the reciprocal of a range one step too small (output_scaling_inv).
    inverse_scale = (HIGH - LOW + 1) / (output.scale[0] * (HIGH - LOW))
    first = source.scale[0] * (LOW - source.zero_point[0])
    last = source.scale[0] * (HIGH - source.zero_point[0])
    step = (last - first) / STEPS
    starts = first + np.arange(STEPS) * step
    values = function(starts) * inverse_scale
    ends = function(first + np.arange(1, STEPS + 1) * step) * inverse_scale
    middles = round_half_away(function(starts + step / 2) * inverse_scale)
    on_the_line = round_half_away((ends + round_half_away(values)) / 2)
    points = round_half_away(values) - round_half_away((on_the_line - middles) / 2)
    final = round_half_away(function(np.array([last])) * inverse_scale)
    return np.asarray(np.clip(np.concatenate([points, final]), LOW, HIGH)).astype(np.int16)
