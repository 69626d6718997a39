"""PAD with zeros of the real numbers: the zero point, which is 0 in int16."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import Layout, OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import Padding, spatial
from tinyml.ops.families.batches import apart, joined
from tinyml.ops.onnx.window import OnnxWindow

KERNEL_RANK = 4


@dataclass(frozen=True, kw_only=True)
class Pad(Operator):
    """``paddings[d]`` zeros before and after the elements of dimension d."""

    paddings: tuple[tuple[int, int], ...]

    opcodes: ClassVar[tuple[str, ...]] = ("PAD",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_pad"),
        DType.INT16: ("tinyml_pad",),
    }
    options_table: ClassVar[str] = "PadOptions"
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Pad": Operands.ANY}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the paddings, which must be constant."""
        return cls(
            name=node.name,
            inputs=(node.inputs[0], *node.inputs[2:]),
            outputs=node.outputs,
            paddings=read_paddings(node),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Pad with zeros."""
        if node.attributes.get("mode", "constant") != "constant" or node.scalar(2, 0.0) != 0:
            return None
        pad = cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            paddings=read_onnx_paddings(node),
        )
        return OnnxLowering(ops=(pad,))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Infer the input's shape, each dimension grown by its paddings."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        grown = (size + sum(pair) for size, pair in zip(source.shape, self.paddings, strict=True))
        return (TensorSpec(tuple(grown), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Bytes are copied, so the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Pad each sample, with zeros or with the second operand."""
        x, *value = operands
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        constant = xp.reshape(value[0], ()) if value else 0
        widths = ((0, 0), *self.paddings)
        padded = xp.pad(apart(xp, x, source.shape), widths, constant_values=constant)
        return (joined(xp, padded, output.shape),)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        paddings = InlineConstant("paddings", np.array(self.paddings, np.int32))
        return TfliteOp(
            opcode=self.opcodes[0],
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=(self.inputs[0], paddings, *self.inputs[1:]),
            options_table=self.options_table,
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Pad; all befores come first. Images as NCHW, since it is convolutions that follow."""
        paddings, layout = self.paddings, Layout.CHANNELS_LAST
        if len(paddings) == 4:
            paddings, layout = tuple(paddings[d] for d in (0, 3, 1, 2)), Layout.CHANNELS_FIRST
        before, after = zip(*paddings, strict=True)
        pads = InlineConstant("pads", np.array([*before, *after], np.int64))
        node = OnnxNode(
            op_type="Pad",
            inputs=(self.inputs[0], pads, *self.onnx_value(graph)),
            outputs=self.outputs,
            layout=layout,
        )
        return (node,)

    def onnx_value(self, graph: Graph) -> tuple[InlineConstant, ...]:
        """What ONNX is to pad with, where it is not zero."""
        del graph
        return ()

    def to_c(self, graph: Graph) -> Kernel:
        """Fill and copy row by row; tensors of fewer dimensions get leading ones."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        missing = KERNEL_RANK - len(source.shape)
        if missing < 0:
            raise self.error(f"input '{source.name}' has more than {KERNEL_RANK} dimensions")
        before, unit = tuple(pair[0] for pair in self.paddings), self.unit(graph)
        params = {
            "input": [1] * missing + _in_units(source.shape, unit),
            "before": [0] * missing + _in_units(before, unit),
            "output": [1] * missing + _in_units(output.shape, unit),
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_pad_params", "pad_params", params),
                TensorPointer(source.name),
                TensorPointer(output.name),
                self.value(graph),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))

    def unit(self, graph: Graph) -> int:
        """How many of the kernel's units an element has: bytes, alike in all of the padding."""
        return graph.tensor(self.inputs[0]).dtype.itemsize

    def value(self, graph: Graph) -> int:
        """What the device pads with."""
        return graph.tensor(self.outputs[0]).zero_point


def read_paddings(node: TfliteNode) -> tuple[tuple[int, int], ...]:
    """Read the constant second input: (before, after) for each dimension of the first."""
    given = node.constant_input(1)
    rank = len(node.tensors[node.inputs[0]].shape)
    if given.shape != (rank, 2) or given.min(initial=0) < 0:
        raise ModelError(
            f"{node.opcode} '{node.name}': paddings {given.tolist()} do not fit an input of {rank} "
            "dimensions"
        )
    return tuple((int(before), int(after)) for before, after in given)


def _in_units(sizes: tuple[int, ...], unit: int) -> list[int]:
    """Sizes of the dimensions, the innermost in what the kernel counts."""
    return [*sizes[:-1], sizes[-1] * unit]


def read_onnx_paddings(node: OnnxNodeIn) -> tuple[tuple[int, int], ...]:
    """Read the pads of an ONNX Pad, (before, after) for each dimension of its first operand."""
    pads = node.integers("pads", 1) or []
    axes = node.integers("axes", 3) or list(range(len(node.order)))
    if len(pads) != 2 * len(axes) or min(pads, default=0) < 0:
        raise node.error(f"pads {pads} do not fit, expected {2 * len(axes)} numbers of at least 0")
    paddings = [(0, 0)] * len(node.operand(0).shape)
    for axis, before, after in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        paddings[node.axis(axis)] = before, after
    return tuple(paddings)


def padded_for_onnx(
    node: OnnxNodeIn, window: OnnxWindow, *, always: bool = False
) -> tuple[str, Padding, tuple[Operator, ...]]:
    """Pad a node's first operand with zeros where the window's pads are no scheme of TFLite's.

    ``always`` does so for SAME as well, where the pads are to count. Gives the name of what the
    window then moves over, its padding scheme, and the PAD if any.
    """
    source = node.inputs[0]
    padding = window.padding(spatial(node.operand(0).shape))
    if padding is not None and not always:
        return source, padding, ()
    padded = node.inner("padded")
    pad = Pad(name=padded, inputs=(source,), outputs=(padded,), paddings=window.paddings)
    return padded, Padding.VALID, (pad,)
