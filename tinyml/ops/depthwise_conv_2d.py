"""DEPTHWISE_CONV_2D: weights (1, height, width, input channels x multiplier)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.ops.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.base import (
    ConstantArray,
    Isa,
    Kernel,
    KernelCall,
    Layout,
    OnnxNode,
    OnnxWeight,
    Operator,
    QuantizationRule,
    ScratchContext,
    Struct,
    TensorPointer,
    TfliteNode,
    TfliteOp,
)
from tinyml.ops.cmsis_nn import (
    channel_scales,
    clamp,
    dims,
    per_channel_quant,
    require_dtype,
    require_parameters,
    require_sizes,
    require_symmetric_weights,
    tile,
)
from tinyml.ops.window import Padding, Pair, Window, read_padding, read_pair, spatial

# Channels arm_depthwise_conv_s8_opt handles at a time on MVE (CH_IN_BLOCK_MVE).
MVE_CHANNEL_BLOCK = 124

# The kernels keep positions in int16_t.
LARGEST_SIZE = 32767


@dataclass(frozen=True, kw_only=True)
class DepthwiseConv2D(Operator):
    """A convolution of each input channel with ``multiplier`` filters of its own."""

    stride: Pair
    dilation: Pair
    padding: Padding
    multiplier: int
    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("DEPTHWISE_CONV_2D",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the options; the multiplier comes from the shapes, as in TFLite's own kernel."""
        where = f"{node.opcode} '{node.name}'"
        channels = node.tensors[node.inputs[0]].shape[-1]
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            stride=read_pair(node.options, "strideH", "strideW", where),
            dilation=read_pair(node.options, "dilationHFactor", "dilationWFactor", where),
            padding=read_padding(node.options, where),
            multiplier=node.tensors[node.inputs[1]].shape[-1] // max(1, channels),
            activation=Activation.from_tflite(node),
        )

    def window(self, graph: Graph) -> Window:
        """Give the filter as a sliding window."""
        _, height, width, _ = graph.tensor(self.inputs[1]).shape
        dilation = self.dilation if (height, width) != (1, 1) else (1, 1)
        return Window((height, width), self.stride, dilation, self.padding)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, H', W', input channels x multiplier), in the input's dtype."""
        dtype = require_dtype(self, graph, DType.FLOAT32, DType.INT8)
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        if len(source.shape) != 4 or len(weights.shape) != 4:
            raise self.error(
                f"expected 4 dimensions, got input {source.shape}, weights {weights.shape}"
            )
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
        """Weights per output channel, which is their last dimension; int32 bias."""
        del graph
        return QuantizationRule(weights={1: 3}, bias=2)

    def macs(self, graph: Graph) -> int:
        """One per output element and filter tap."""
        _, height, width, _ = graph.tensor(self.inputs[1]).shape
        return graph.tensor(self.outputs[0]).size * height * width

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 3 for int8; for float 2 where dilated, else 1."""
        is_float = graph.tensor(self.inputs[0]).dtype is DType.FLOAT32
        version = 3 if not is_float else 1 if self.dilation == (1, 1) else 2
        return TfliteOp(
            opcode="DEPTHWISE_CONV_2D",
            version=version,
            inputs=self.inputs,
            options_table="DepthwiseConv2DOptions",
            options={
                "padding": self.padding.value,
                "strideH": self.stride[0],
                "strideW": self.stride[1],
                "dilationHFactor": self.dilation[0],
                "dilationWFactor": self.dilation[1],
                "depthMultiplier": self.multiplier,
                "fusedActivationFunction": self.activation.value,
            },
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Conv with one group per input channel, weights as (channels, 1, height, width)."""
        name, weights, *bias = self.present_inputs
        source = graph.tensor(name)
        attributes = self.window(graph).onnx_attributes(spatial(source.shape))
        conv = OnnxNode(
            op_type="Conv",
            inputs=(name, OnnxWeight(weights, (3, 0, 1, 2)), *bias),
            outputs=self.outputs,
            attributes={**attributes, "group": source.shape[3]},
            layout=Layout.CHANNELS_FIRST,
        )
        return with_onnx_activation(conv, self.activation)

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call the CMSIS-NN kernel made for the multiplier, dilation and filter size."""
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        output = graph.tensor(self.outputs[0])
        require_symmetric_weights(self, weights)
        require_sizes(self, (source, weights, output), LARGEST_SIZE)
        window = self.window(graph)
        function, scratch = self._choose(graph, isas)
        params = {
            "input_offset": -source.zero_point,
            "output_offset": output.zero_point,
            "ch_mult": self.multiplier,
            "stride": tile(window.stride),
            "padding": tile(window.pads(spatial(source.shape))[0]),
            "dilation": tile(window.dilation),
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }
        multipliers = [
            source.scale * scale / output.scale
            for scale in channel_scales(weights, output.shape[3])
        ]
        call = KernelCall(
            function=function,
            arguments=(
                ScratchContext(),
                Struct("cmsis_nn_dw_conv_params", "dw_conv_params", params),
                per_channel_quant(multipliers),
                dims("input_dims", source.shape),
                TensorPointer(source.name),
                dims("filter_dims", weights.shape),
                TensorPointer(weights.name),
                dims("bias_dims", (1, 1, 1, output.shape[3])),
                self._bias(output.shape[3]),
                dims("output_dims", output.shape),
                TensorPointer(output.name),
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), scratch_bytes=scratch)

    def _bias(self, channels: int) -> TensorPointer | ConstantArray:
        """Zeros where there is none and more than one block of channels.

        On MVE the kernel adds each block's offset to the bias before it asks whether that is NULL.
        """
        if len(self.inputs) > 2:
            return TensorPointer(self.inputs[2])
        if channels <= MVE_CHANNEL_BLOCK:
            return TensorPointer("")
        return ConstantArray("zero_bias", np.zeros(channels, np.int32))

    def _choose(self, graph: Graph, isas: frozenset[Isa]) -> tuple[str, int]:
        """Name the kernel that is exact on all of ``isas``, and its scratch in bytes."""
        source = graph.tensor(self.inputs[0])
        window = self.window(graph)
        if self.multiplier != 1 or source.shape[0] != 1 or window.dilation != (1, 1):
            return "arm_depthwise_conv_s8", 0
        small = window.size == (3, 3) and max(window.pads(spatial(source.shape))[0]) <= 1
        if small and Isa.MVE not in isas:
            return "arm_depthwise_conv_3x3_s8", 0
        taps = window.size[0] * window.size[1]
        scratch = max(depthwise_s8_opt_scratch(source.shape[3], taps, isa) for isa in isas)
        return "arm_depthwise_conv_s8_opt", scratch


def depthwise_s8_opt_scratch(channels: int, taps: int, isa: Isa) -> int:
    """``arm_depthwise_conv_s8_opt_get_buffer_size``, in bytes."""
    return {
        Isa.SCALAR: 0,
        Isa.DSP: 2 * channels * taps,
        Isa.MVE: 4 * MVE_CHANNEL_BLOCK * taps,
    }[isa]
