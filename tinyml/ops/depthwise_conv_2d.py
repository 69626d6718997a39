"""DEPTHWISE_CONV_2D: weights (1, height, width, input channels x multiplier)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import require_sizes, require_symmetric_weights
from tinyml.ops.c.int32_sums import require_narrow_sums
from tinyml.ops.c.int64_sums import wide_bias
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.c import ConstantArray, Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_parameters
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.onnx import (
    OnnxLowering,
    OnnxNode,
    OnnxNodeIn,
    Operands,
    float_constant,
    transposed_constant,
)
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import Padding, spatial
from tinyml.ops.families.convolution import Convolution
from tinyml.ops.onnx.window import image_constant

# Channels arm_depthwise_conv_s8_opt handles at a time on MVE (CH_IN_BLOCK_MVE).
MVE_CHANNEL_BLOCK = 124

# The kernels keep positions in int16_t.
LARGEST_SIZE = 32767


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv2D(Convolution):
    """A convolution of each input channel with ``multiplier`` filters of its own."""

    multiplier: int

    opcodes: ClassVar[tuple[str, ...]] = ("DEPTHWISE_CONV_2D",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("arm_depthwise_conv_s8"),
        DType.INT16: ("arm_depthwise_conv_s16",),
    }
    channel_axis: ClassVar[int] = 3
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "BatchNormalization": Operands.CHANNELS_LAST,
        "Conv": Operands.CHANNELS_LAST,
    }

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the options; the multiplier comes from the shapes, as in TFLite's own kernel."""
        channels = node.tensors[node.inputs[0]].shape[-1]
        multiplier = node.tensors[node.inputs[1]].shape[-1] // max(1, channels)
        return cls(**cls.read_fields(node), multiplier=multiplier)

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Conv of as many groups as channels, or a BatchNormalization as a 1x1 filter."""
        channels = node.operand(0).shape[-1]
        if node.op_type == "BatchNormalization":
            return cls._onnx_normalization(node, channels)
        if not node.attributes.get("group", 1) == channels > 1:
            return None
        weights = transposed_constant(image_constant(node, 1), (1, 2, 3, 0))
        outputs = weights.shape[3]
        return cls.onnx_lowering(node, weights, outputs, multiplier=outputs // channels)

    @classmethod
    def _onnx_normalization(cls, node: OnnxNodeIn, channels: int) -> OnnxLowering:
        """``factor * x + offset`` of each channel, which fold_affine takes into the layer before.

        As a convolution it has scales per channel and one rounding where it stays.
        """
        if node.attributes.get("training_mode", 0) or len(node.operand(0).shape) != 4:
            raise node.error("expected inference over at most 4 dimensions")
        scale, bias, mean, variance = (node.constant_input(i).reshape(-1) for i in range(1, 5))
        if {scale.size, bias.size, mean.size, variance.size} != {channels}:
            raise node.error(f"its parameters do not have {channels} elements each")
        factor = scale / np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        weights = float_constant(node.inner("factor"), factor.reshape(1, 1, 1, channels))
        offset = float_constant(node.inner("offset"), bias - mean * factor)
        return OnnxLowering(
            ops=(
                cls(
                    name=node.name,
                    inputs=(node.inputs[0], weights.name, offset.name),
                    outputs=node.outputs[:1],
                    stride=(1, 1),
                    dilation=(1, 1),
                    padding=Padding.VALID,
                    multiplier=1,
                    activation=Activation.NONE,
                ),
            ),
            constants=(weights, offset),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, H', W', input channels x multiplier), in the input's dtype."""
        source, weights, dtype = self.checked_inputs(graph)
        channels = source.shape[3] * self.multiplier
        if weights.shape[0] != 1 or weights.shape[3] != channels:
            raise self.error(
                f"weights '{weights.name}' have shape {weights.shape}, "
                f"expected (1, height, width, {channels})"
            )
        require_parameters(self, graph, channels)
        height, width = self.window(graph).output_size(spatial(source.shape))
        return (TensorSpec((source.shape[0], height, width, channels), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Weights per output channel, which is their last dimension, and a bias."""
        del graph
        return QuantizationRule(weights={1: self.channel_axis}, bias=2)

    def sums(self, xp: ArrayLibrary, x: Any, weights: Any, **window: Any) -> Any:
        """A depthwise convolution by weights whose channels and multipliers are two dimensions."""
        _, height, width, channels = weights.shape
        shape = (height, width, channels // self.multiplier, self.multiplier)
        return xp.depthwise_conv(x, xp.reshape(weights, shape), **window)

    def macs(self, graph: Graph) -> int:
        """One per output element and filter tap."""
        _, height, width, _ = graph.tensor(self.inputs[1]).shape
        return graph.tensor(self.outputs[0]).size * height * width

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 3 for int8, 5 for 16x8; for float 2 where dilated, else 1."""
        dtype = graph.tensor(self.inputs[0]).dtype
        float_version = 1 if self.dilation == (1, 1) else 2
        return TfliteOp(
            opcode="DEPTHWISE_CONV_2D",
            version={DType.INT8: 3, DType.INT16: 5}.get(dtype, float_version),
            inputs=self.inputs,
            options_table="DepthwiseConv2DOptions",
            options={**self.tflite_options(), "depthMultiplier": self.multiplier},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Conv with one group per input channel, weights as (channels, 1, height, width)."""
        return self.onnx_conv(graph, (3, 0, 1, 2), group=graph.tensor(self.inputs[0]).shape[3])

    def to_c(self, graph: Graph) -> Kernel:
        """Call CMSIS-NN's plain kernel, which takes every multiplier, dilation and filter."""
        tensors = [graph.tensor(name) for name in (*self.inputs[:2], self.outputs[0])]
        require_symmetric_weights(self, tensors[1])
        require_sizes(self, tensors, LARGEST_SIZE)
        if tensors[0].dtype is not DType.INT16:
            require_narrow_sums(self, graph, self.channel_axis)
        return Kernel(calls=(self.call(graph, self.kernel_name(graph)),))

    def call(self, graph: Graph, function: str) -> KernelCall:
        """Call a kernel; all of them take these arguments."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        params = self.cmsis_nn_params(graph, ch_mult=self.multiplier)
        struct = Struct("cmsis_nn_dw_conv_params", "dw_conv_params", params)
        channels = output.shape[3]
        is_wide = source.dtype is DType.INT16
        bias = wide_bias(self, channels) if is_wide else self._bias(channels)
        return self.cmsis_nn_call(graph, function, struct, bias)

    def is_plain(self, graph: Graph) -> bool:
        """Whether each channel has one filter, without gaps."""
        return self.multiplier == 1 and self.window(graph).dilation == (1, 1)

    def _bias(self, channels: int) -> TensorPointer | ConstantArray:
        """Zeros where there is none and more than one block of channels.

        On MVE the kernel adds each block's offset to the bias before it asks whether that is NULL.
        """
        if len(self.inputs) > 2 or channels <= MVE_CHANNEL_BLOCK:
            return self.bias_pointer
        return ConstantArray("zero_bias", np.zeros(channels, np.int32))
