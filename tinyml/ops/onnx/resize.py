"""Where ONNX's Resize takes each pixel from, to be held against TFLite's operators.

The formulas are those of the operator's specification (opset 13 to 19).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml.ir.graph import Array
from tinyml.ops.contract.onnx import OnnxNodeIn
from tinyml.ops.contract.window import Pair

# The kernels' tables hold coordinates as uint16_t.
LARGEST_SIZE = 65535

ROUNDINGS: Mapping[str, Callable[[Array], Array]] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


@dataclass(frozen=True, slots=True)
class OnnxResize:
    """A Resize of height and width: sizes before and after, and its two scales."""

    mode: str
    coordinates: str
    rounding: str
    before: Pair
    after: Pair
    scales: tuple[float, float]

    def places(self, axis: int) -> Array:
        """Coordinate in the input of each row or column of the output, inside the input."""
        before, after, scale = self.before[axis], self.after[axis], self.scales[axis]
        x = np.arange(after, dtype=np.float64)
        half_pixel = (x + 0.5) / scale - 0.5
        places = {
            "half_pixel": half_pixel,
            "pytorch_half_pixel": half_pixel if after > 1 else 0 * x,
            "align_corners": x * (before - 1) / max(1, after - 1),
            "asymmetric": x / scale,
        }[self.coordinates]
        return np.clip(places, 0, before - 1)

    def nearest(self, axis: int) -> Array:
        """Row or column of the input each of the output is."""
        return np.asarray(ROUNDINGS[self.rounding](self.places(axis))).astype(np.int64)


def read_onnx_resize(node: OnnxNodeIn) -> OnnxResize:
    """Read a Resize of NHWC images; ModelError where it changes more, or in another way."""
    coordinates = node.attributes.get("coordinate_transformation_mode", "half_pixel")
    rounding = node.attributes.get("nearest_mode", "round_prefer_floor")
    mode = node.attributes.get("mode", "nearest")
    supported = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}
    plain = not any(node.attributes.get(name, 0) for name in ("antialias", "exclude_outside"))
    policy = node.attributes.get("keep_aspect_ratio_policy", "stretch")
    if mode not in {"nearest", "linear"} or not {coordinates} <= supported:
        raise node.error(f"mode {mode} with {coordinates} is not supported")
    if not plain or rounding not in ROUNDINGS or policy != "stretch":
        raise node.error("antialias, exclude_outside and keep_aspect_ratio are not supported")
    if node.has_input(3):
        shape = node.operand(0).shape
        sizes = _per_dimension(node, 3, [shape[place] for place in node.order])
        factors = [size / have for size, have in zip(sizes, shape, strict=True)]
    else:
        factors = _per_dimension(node, 2, [1.0] * len(node.order))
        pairs = zip(node.operand(0).shape, factors, strict=True)
        sizes = [int(have * factor) for have, factor in pairs]
    batch, height, width, channels = zip(node.operand(0).shape, sizes, factors, strict=True)
    is_sensible = all(1 <= size <= LARGEST_SIZE for size in (height[1], width[1]))
    if batch[0] != batch[1] or channels[0] != channels[1] or not is_sensible:
        raise node.error(f"resizes to {tuple(sizes)}, expected another height and width only")
    before, after, scales = zip(height, width, strict=True)
    exact = [have * scale for have, scale in zip(before, scales, strict=True)]
    if coordinates == "align_corners" and not np.allclose(exact, after):
        raise node.error(f"scales {scales} of {before} give no whole pixels; state sizes instead")
    return OnnxResize(mode, coordinates, rounding, before, after, scales)


def _per_dimension(node: OnnxNodeIn, index: int, default: list[Any]) -> list[Any]:
    """Sizes or scales of the NHWC image; attribute 'axes' names the dimensions meant."""
    values = node.constant_input(index).reshape(-1).tolist()
    axes = node.integers("axes") or list(range(len(default)))
    if len(values) != len(axes) or not all(-len(default) <= axis < len(default) for axis in axes):
        raise node.error(f"{len(values)} sizes or scales do not fit {len(axes)} dimensions")
    placed = list(default)
    for axis, value in zip(axes, values, strict=True):
        placed[axis] = value
    return list(node.per_dimension(placed, 1))
