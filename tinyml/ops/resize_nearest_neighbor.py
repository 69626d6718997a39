"""RESIZE_NEAREST_NEIGHBOR: each pixel of the output is one of the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType
from tinyml.numerics.affine import round_half_away
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.families.resize import ResizeOperator
from tinyml.ops.onnx.resize import OnnxResize


@dataclass(frozen=True, kw_only=True)
class ResizeNearestNeighbor(ResizeOperator):
    """Images at another size, no new colours."""

    opcodes: ClassVar[tuple[str, ...]] = ("RESIZE_NEAREST_NEIGHBOR",)
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Resize": Operands.CHANNELS_LAST}
    onnx_mode: ClassVar[str] = "nearest"
    moves_bytes: ClassVar[bool] = True
    options_table: ClassVar[str] = "ResizeNearestNeighborOptions"
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_resize_nearest"),
        DType.INT16: ("tinyml_resize_nearest",),
    }

    @property
    def needs_version_3(self) -> bool:
        """Either option."""
        return self.align_corners or self.half_pixel_centers

    def is_like_onnx(self, resize: OnnxResize, axis: int) -> bool:
        """Compare what each row or column is."""
        places = self.coordinates(resize.before[axis], self.size[axis])
        return np.array_equal(places, resize.nearest(axis))

    def onnx_attributes(self) -> dict[str, Any]:
        """Round as TFLite does, which floors a coordinate counted from the corner."""
        centers = self.align_corners or self.half_pixel_centers
        return {"mode": "nearest", "nearest_mode": "round_prefer_ceil" if centers else "floor"}

    def along(self, xp: ArrayLibrary, x: Any, axis: int, input_size: int, output_size: int) -> Any:
        """Take the nearest."""
        return xp.take(x, self.coordinates(input_size, output_size).astype(np.int32), axis)

    def coordinates(self, input_size: int, output_size: int) -> Array:
        """Nearest input of each output, in the float32 steps of TFLite's GetNearestNeighbor."""
        aligned = self.align_corners and output_size > 1
        ratio = (input_size - 1, output_size - 1) if aligned else (input_size, output_size)
        scale = np.float32(ratio[0]) / np.float32(ratio[1])
        offset = np.float32(0.5 if self.half_pixel_centers else 0)
        places = (np.arange(output_size, dtype=np.float32) + offset) * scale
        nearest = round_half_away(places) if self.align_corners else np.floor(places)
        return np.clip(nearest, 0, input_size - 1).astype(np.uint16)
