"""RESIZE_BILINEAR: each pixel of the output lies between four of the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import Operands
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.families.resize import ResizeOperator
from tinyml.ops.onnx.resize import OnnxResize

# Fraction bits of a coordinate.
FRACTION_BITS = 10
ONE = 1 << FRACTION_BITS
# Part of a pixel by which coordinates may differ from ONNX's.
CLOSE = 1e-4


@dataclass(frozen=True, kw_only=True)
class ResizeBilinear(ResizeOperator):
    """Images at another size, linear between neighbours."""

    opcodes: ClassVar[tuple[str, ...]] = ("RESIZE_BILINEAR",)
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Resize": Operands.CHANNELS_LAST}
    onnx_mode: ClassVar[str] = "linear"
    options_table: ClassVar[str] = "ResizeBilinearOptions"
    rounds_integers: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_resize_bilinear_s8"),
        DType.INT16: ("tinyml_resize_bilinear_s16",),
    }

    def macs(self, graph: Graph) -> int:
        """Four pixels for each of the output."""
        return 4 * graph.tensor(self.outputs[0]).size

    @property
    def needs_version_3(self) -> bool:
        """Only this option is newer than int8."""
        return self.half_pixel_centers

    def is_like_onnx(self, resize: OnnxResize, axis: int) -> bool:
        """Compare coordinates, which interpolation follows."""
        before, after = resize.before[axis], self.size[axis]
        aligned = self.align_corners and after > 1
        scale = (before - 1) / (after - 1) if aligned else before / after
        offset = 0.5 if self.half_pixel_centers else 0.0
        places = np.clip((np.arange(after) + offset) * scale - offset, 0, before - 1)
        return bool(np.abs(places - resize.places(axis)).max() < CLOSE)

    def onnx_attributes(self) -> dict[str, Any]:
        """Linear in both directions."""
        return {"mode": "linear"}

    def along(self, xp: ArrayLibrary, x: Any, axis: int, input_size: int, output_size: int) -> Any:
        """Weigh both neighbours, in the float32 steps of TFLite's ComputeInterpolationValues."""
        aligned = self.align_corners and output_size > 1
        ratio = (input_size - 1, output_size - 1) if aligned else (input_size, output_size)
        scale = np.float32(ratio[0]) / np.float32(ratio[1])
        offset = np.float32(0.5 if self.half_pixel_centers else 0)
        places = (np.arange(output_size, dtype=np.float32) + offset) * scale - offset
        lower = np.maximum(np.floor(places), 0).astype(np.int32)
        upper = np.minimum(np.ceil(places), input_size - 1).astype(np.int32)
        fraction = (places - lower).astype(np.float32).reshape(-1, *(1,) * (3 - axis))
        return xp.add(
            xp.multiply(xp.take(x, lower, axis), 1 - fraction),
            xp.multiply(xp.take(x, upper, axis), fraction),
        )

    def coordinates(self, input_size: int, output_size: int) -> Array:
        """Lower neighbour of each output and its distance from it in 1/1024, which is 0 at the end.

        Coordinates and their scale have 10 fraction bits, as in TFLite's integer ResizeBilinear.
        """
        aligned = self.align_corners and output_size > 1
        inputs, outputs = input_size - int(aligned), output_size - int(aligned)
        scale = (ONE * inputs + outputs // 2) // outputs
        places = np.arange(output_size, dtype=np.int64) * scale
        if self.half_pixel_centers:
            places += scale // 2 - ONE // 2
        places = np.maximum(places, 0)  # in front of the first pixel both neighbours are that one
        lower, fraction = places >> FRACTION_BITS, places & (ONE - 1)
        if lower.max() >= input_size:
            raise self.error(
                f"the scale from {input_size} to {output_size} pixels, rounded to 10 bits, reaches "
                "beyond the last pixel; choose a smaller size"
            )
        fraction[lower == input_size - 1] = 0
        return np.asarray(np.stack([lower, fraction], axis=1), np.uint16)
