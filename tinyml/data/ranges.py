"""Whether data can be what a model was made for: their range beside that of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml.data.dataset import is_raw, plain_name
from tinyml.ir.graph import Array, Tensor
from tinyml.numerics.affine import LIMITS

# Values this far outside, in widths of the input's range, are more than outliers' usual distance.
MARGIN = 0.1
# Share of such values to warn of: observers that leave outliers out leave out fewer.
SHARE = 0.01
# Data that take less of an input's range than this are on another scale: some 5 of 256 steps.
NARROWEST = 1 / 50


def range_warnings(samples: Sequence[Array], inputs: Sequence[Tensor]) -> tuple[str, ...]:
    """One sentence for each input of a quantized model whose data lie far from its range.

    ``samples`` are those of ``quantize_samples``; raw integers are inside by themselves.
    """
    pairs = zip(samples, inputs, strict=True)
    found = (_warning(array, tensor) for array, tensor in pairs)
    return tuple(warning for warning in found if warning)


def output_warnings(floats: Sequence[Array], outputs: Sequence[Tensor]) -> tuple[str, ...]:
    """One sentence for each output whose real values the quantized model has no integers for.

    ``floats`` holds what the float model gives for the data, (N, *shape) per output.
    """
    return tuple(
        f"on these data the float model's output '{tensor.name}' reaches from {array.min():.4g} to "
        f"{array.max():.4g}, but it was quantized for {low:.4g} to {high:.4g}: {100 * share:.0f} % "
        "of the values are cut off; calibrate with data like these"
        for array, tensor in zip(floats, outputs, strict=False)
        if tensor.quant is not None and (share := _share_outside(array, tensor)) >= SHARE
        for low, high in [_real_range(tensor)]
    )


def _share_outside(array: Array, tensor: Tensor) -> float:
    """Share of values beyond the range and its margin."""
    low, high = _real_range(tensor)
    margin = MARGIN * (high - low)
    return float(((array < low - margin) | (array > high + margin)).mean())


def _warning(array: Array, tensor: Tensor) -> str:
    if tensor.quant is None or is_raw(array, tensor):
        return ""
    low, high = _real_range(tensor)
    share = _share_outside(array, tensor)
    first, last = float(array.min()), float(array.max())
    if share >= SHARE:
        consequence = f"{100 * share:.0f} % of the values are cut off"
    elif 0 < last - first < NARROWEST * (high - low):
        consequence = f"they differ by less than {100 * NARROWEST:.0f} % of that"
    else:
        return ""
    return (
        f"the data of input '{plain_name(tensor.name)}' reach from {first:.4g} to {last:.4g}, but "
        f"it was quantized for {low:.4g} to {high:.4g}: {consequence}; scale the data as those "
        "that the model was calibrated with, or calibrate it again"
    )


def _real_range(tensor: Tensor) -> tuple[float, float]:
    """Smallest and largest real number that the input holds."""
    low, high = (tensor.scale * (q - tensor.zero_point) for q in LIMITS[tensor.dtype])
    return float(np.float32(low)), float(np.float32(high))
