"""Resizing of images: where each row and column of the output comes from, settled at build time."""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import require_sizes
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import Layout, OnnxLowering, OnnxNode, OnnxNodeIn
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import Pair, spatial
from tinyml.ops.onnx.resize import LARGEST_SIZE, OnnxResize, read_onnx_resize


@dataclass(frozen=True, kw_only=True)
class ResizeOperator(Operator):
    """Images (N, H, W, C) at another ``size`` (height, width).

    ``align_corners`` lays the centers of the corner pixels over each other, ``half_pixel_centers``
    the corners of the images; with neither, pixels count from their upper left corner.
    """

    size: Pair
    align_corners: bool
    half_pixel_centers: bool

    options_table: ClassVar[str]
    onnx_mode: ClassVar[str]
    # Whether the kernel copies pixels, whatever their dtype.
    moves_bytes: ClassVar[bool] = False

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the size, which must be constant, and how the images lie over each other."""
        size = [int(value) for value in node.constant_input(1).reshape(-1)]
        operator = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            size=(0, 0),
            align_corners=bool(node.options.get("alignCorners", False)),
            half_pixel_centers=bool(node.options.get("halfPixelCenters", False)),
        )
        if len(size) != 2:
            raise operator.error(f"size {size} is not a height and a width")
        return replace(operator, size=(size[0], size[1]))

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Resize that takes its pixels from where TFLite does."""
        resize = read_onnx_resize(node)
        if resize.mode != cls.onnx_mode:
            return None
        for aligned, half_pixel in ((False, False), (False, True), (True, False)):
            op = cls(
                name=node.name,
                inputs=node.inputs[:1],
                outputs=node.outputs,
                size=resize.after,
                align_corners=aligned,
                half_pixel_centers=half_pixel,
            )
            if all(op.is_like_onnx(resize, axis) for axis in (0, 1)):
                return OnnxLowering(ops=(op,))
        raise node.error(
            f"TFLite has no operator that takes its pixels from where {resize.coordinates} with "
            f"{resize.rounding} does from {resize.before} to {resize.after}"
        )

    @abc.abstractmethod
    def is_like_onnx(self, resize: OnnxResize, axis: int) -> bool:
        """Whether each row or column comes from the same place as in ONNX."""

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape with the new height and width."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        if len(source.shape) != 4 or 0 in source.shape or min(self.size) < 1:
            raise self.error(
                f"input '{source.name}' {source.shape} cannot be resized to {self.size}, expected "
                "4 dimensions and at least one pixel"
            )
        if self.align_corners and self.half_pixel_centers:
            raise self.error("align_corners and half_pixel_centers exclude each other")
        return (TensorSpec((source.shape[0], *self.size, source.shape[3]), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Values are copied or lie between others, so the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Resize the rows, then the columns."""
        heights, widths = zip(spatial(graph.tensor(self.inputs[0]).shape), self.size, strict=True)
        return (self.along(xp, self.along(xp, operands[0], 1, *heights), 2, *widths),)

    @abc.abstractmethod
    def along(self, xp: ArrayLibrary, x: Any, axis: int, input_size: int, output_size: int) -> Any:
        """Resize one dimension."""

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 2 for int8, 3 where the option came with it, 4 for int16."""
        dtype = graph.tensor(self.inputs[0]).dtype
        version = 1 if dtype is DType.FLOAT32 else 2
        if dtype is not DType.INT16 and self.needs_version_3:
            version = 3
        size = InlineConstant("size", np.array(self.size, np.int32))
        return TfliteOp(
            opcode=self.opcodes[0],
            version=4 if dtype is DType.INT16 else version,
            inputs=(*self.inputs, size),
            options_table=self.options_table,
            options={
                "alignCorners": self.align_corners,
                "halfPixelCenters": self.half_pixel_centers,
            },
        )

    @property
    @abc.abstractmethod
    def needs_version_3(self) -> bool:
        """Whether an option is in use that version 2 lacks."""

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Resize of the height and width of NCHW images."""
        batches, height, width, channels = graph.tensor(self.outputs[0]).shape
        none = np.array([], np.float32)
        sizes = np.array([batches, channels, height, width], np.int64)
        coordinates = "align_corners" if self.align_corners else "asymmetric"
        if self.half_pixel_centers:
            coordinates = "half_pixel"
        return (
            OnnxNode(
                op_type="Resize",
                inputs=(
                    *self.inputs,
                    InlineConstant("roi", none),
                    InlineConstant("scales", none),
                    InlineConstant("sizes", sizes),
                ),
                outputs=self.outputs,
                attributes={
                    "coordinate_transformation_mode": coordinates,
                    **self.onnx_attributes(),
                },
                layout=Layout.CHANNELS_FIRST,
            ),
        )

    @abc.abstractmethod
    def onnx_attributes(self) -> dict[str, Any]:
        """How ONNX computes a pixel between others."""

    def to_c(self, graph: Graph) -> Kernel:
        """Look up where each row and each column comes from."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        require_sizes(self, (source, output), LARGEST_SIZE)
        heights, widths = zip(spatial(source.shape), self.size, strict=True)
        params = {
            "batches": source.shape[0],
            "input_height": heights[0],
            "input_width": widths[0],
            "output_height": heights[1],
            "output_width": widths[1],
            "channels": source.shape[3] * (source.dtype.itemsize if self.moves_bytes else 1),
            "rows": ConstantArray("rows", self.coordinates(*heights)),
            "columns": ConstantArray("columns", self.coordinates(*widths)),
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_resize_params", "resize_params", params),
                TensorPointer(source.name, as_bytes=self.moves_bytes),
                TensorPointer(output.name, as_bytes=self.moves_bytes),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))

    @abc.abstractmethod
    def coordinates(self, input_size: int, output_size: int) -> Array:
        """Table of the kernel for one dimension, uint16 (output_size, ...)."""
