"""CONV_2D: weights (output channels, height, width, input channels)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import require_symmetric_weights
from tinyml.ops.c.int32_sums import require_narrow_sums
from tinyml.ops.c.int64_sums import bias_type_option, has_narrow_bias
from tinyml.ops.contract.c import Argument, Kernel, KernelCall, Struct
from tinyml.ops.contract.checks import require_parameters
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import (
    OnnxLowering,
    OnnxNode,
    OnnxNodeIn,
    Operands,
    transposed_constant,
)
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import spatial
from tinyml.ops.families.convolution import Convolution
from tinyml.ops.onnx.groups import grouped_lowering
from tinyml.ops.onnx.window import image_constant

VERSIONS = {DType.FLOAT32: 1, DType.INT8: 3, DType.INT16: 4}


@dataclass(frozen=True, kw_only=True)
class Conv2D(Convolution):
    """2-D convolution over NHWC, with bias and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("CONV_2D",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_convolve_s8"),
        DType.INT16: ("tinyml_convolve_s16", "tinyml_convolve_s16_bias32"),
    }
    channel_axis: ClassVar[int] = 0
    onnx_types: ClassVar[Mapping[str, Operands]] = {"Conv": Operands.CHANNELS_LAST}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read strides, dilations, padding and activation."""
        return cls(**cls.read_fields(node))

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Conv; several groups are taken apart."""
        group, channels = node.attributes.get("group", 1), node.operand(0).shape[-1]
        if group == channels > 1:
            return None  # a depthwise convolution
        weights = transposed_constant(image_constant(node, 1), (0, 2, 3, 1))
        if group == 1:
            return cls._onnx_group(node, weights)
        return grouped_lowering(node, weights, group, cls._onnx_group)

    @classmethod
    def _onnx_group(cls, node: OnnxNodeIn, weights: Tensor) -> OnnxLowering:
        return cls.onnx_lowering(node, weights, weights.shape[0])

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, H', W', output channels), in the input's dtype."""
        source, weights, dtype = self.checked_inputs(graph)
        if source.shape[3] != weights.shape[3]:
            raise self.error(
                f"input '{source.name}' has {source.shape[3]} channels but weights "
                f"'{weights.name}' take {weights.shape[3]}, expected all or an equal share"
            )
        require_parameters(self, graph, weights.shape[0], narrow_bias=True)
        height, width = self.window(graph).output_size(spatial(source.shape))
        return (TensorSpec((source.shape[0], height, width, weights.shape[0]), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Weights per output channel, and a bias."""
        del graph
        return QuantizationRule(weights={1: self.channel_axis}, bias=2)

    def sums(self, xp: ArrayLibrary, x: Any, weights: Any, **window: Any) -> Any:
        """A convolution by weights whose output channels come last."""
        return xp.conv(x, xp.transpose(weights, (1, 2, 3, 0)), **window)

    def macs(self, graph: Graph) -> int:
        """One per output element and filter tap."""
        weights = graph.tensor(self.inputs[1])
        return graph.tensor(self.outputs[0]).size * (weights.size // weights.shape[0])

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 3 for int8, 4 for 16x8."""
        return TfliteOp(
            opcode="CONV_2D",
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=self.inputs,
            options_table="Conv2DOptions",
            options={**self.tflite_options(), **bias_type_option(self, graph)},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Conv with weights as (output channels, input channels, height, width)."""
        return self.onnx_conv(graph, (0, 3, 1, 2))

    def to_c(self, graph: Graph) -> Kernel:
        """Run a kernel of our own, which takes every shape.

        CMSIS-NN's for int8 are candidates; that for 16x8 changed its interface with 6.0.0.
        """
        require_symmetric_weights(self, graph.tensor(self.inputs[1]))
        wide, *narrow = self.kernel_names(graph)
        if not narrow:
            require_narrow_sums(self, graph, self.channel_axis)
        function = narrow[0] if has_narrow_bias(self, graph) else wide
        return Kernel(calls=(replace(self.call(graph, function), source=f"{function}.c"),))

    def call(self, graph: Graph, function: str, *after_bias: Argument) -> KernelCall:
        """Call a kernel that takes a convolution's arguments, some with ``after_bias`` more."""
        params = Struct("cmsis_nn_conv_params", "conv_params", self.cmsis_nn_params(graph))
        return self.cmsis_nn_call(graph, function, params, self.bias_pointer, *after_bias)

    def is_pointwise(self, graph: Graph) -> bool:
        """Whether each output pixel is made of one input pixel, and none of padding."""
        window = self.window(graph)
        pads = window.pads(spatial(graph.tensor(self.inputs[0]).shape))
        return window.size == (1, 1) and pads == ((0, 0), (0, 0))

    def taps(self, graph: Graph) -> int:
        """Weights of one output channel."""
        weights = graph.tensor(self.inputs[1])
        return weights.size // weights.shape[0]
