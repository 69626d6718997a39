"""TRANSPOSE_CONV: weights (output channels, height, width, input channels)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import (
    channel_scales,
    clamp,
    dims,
    per_channel_quant,
    require_symmetric_weights,
    tile,
)
from tinyml.ops.c.int32_sums import require_narrow_sums
from tinyml.ops.c.int64_sums import bias_type_option, sums_in_32_bits, wide_multipliers
from tinyml.ops.contract.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype, require_parameters
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import (
    Layout,
    OnnxLowering,
    OnnxNode,
    OnnxNodeIn,
    OnnxWeight,
    Operands,
    transposed_constant,
)
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import Padding, Pair, Window, read_padding, read_pair, spatial
from tinyml.ops.families.convolution import with_bias
from tinyml.ops.onnx.transposed_window import read_onnx_transposed_window
from tinyml.ops.onnx.window import bias_or_zeros, image_constant, spatial_rank
from tinyml.ops.slice import Slice


@dataclass(frozen=True, kw_only=True)
class TransposeConv(Operator):
    """The transpose of a convolution of ``output_size``: each input adds a whole filter.

    Inputs are the activation, the weights and perhaps a bias.
    """

    output_size: Pair
    stride: Pair
    padding: Padding
    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("TRANSPOSE_CONV",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_transpose_conv_s8"),
        DType.INT16: ("tinyml_transpose_conv_s16", "tinyml_transpose_conv_s16_bias32"),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"ConvTranspose": Operands.CHANNELS_LAST}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the options; the output's size is that of its static shape."""
        where = f"{node.opcode} '{node.name}'"
        _, weights, source, *bias = node.inputs
        shape = node.tensors[node.outputs[0]].shape
        operator = cls(
            name=node.name,
            inputs=(source, weights, *bias),
            outputs=node.outputs,
            output_size=(shape[1], shape[2]) if len(shape) == 4 else (0, 0),
            stride=read_pair(node.options, "strideH", "strideW", where),
            padding=read_padding(node.options, where),
            activation=Activation.from_tflite(node),
        )
        if len(shape) != 4:
            raise operator.error(f"output '{node.outputs[0]}' has shape {shape}, expected NHWC")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a ConvTranspose; what no scheme of TFLite's cuts off is cut off by a SLICE."""
        weights = transposed_constant(image_constant(node, 1), (1, 2, 3, 0))
        if node.attributes.get("group", 1) != 1:
            raise node.error(f"has {node.attributes['group']} groups, expected 1")
        source, bias = node.operand(0).shape, bias_or_zeros(node, 2, weights.shape[0])
        window = read_onnx_transposed_window(node, spatial(weights.shape), spatial_rank(node))
        padding = window.padding(spatial(source))
        size = window.output_size if padding is not None else window.whole_size(spatial(source))
        whole = node.name if padding is not None else node.inner("whole")
        op = cls(
            name=whole,
            inputs=(node.inputs[0], weights.name, bias.name),
            outputs=(whole,),
            output_size=size,
            stride=window.stride,
            padding=padding or Padding.VALID,
            activation=Activation.NONE,
        )
        if padding is not None:
            return OnnxLowering(ops=(op,), constants=(weights, bias))
        cut = Slice(
            name=node.name,
            inputs=(whole,),
            outputs=node.outputs,
            begin=(0, *window.before, 0),
            size=(source[0], *window.output_size, weights.shape[0]),
        )
        return OnnxLowering(ops=(op, cut), constants=(weights, bias))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, *output_size, output channels), in the input's dtype."""
        dtype = require_dtype(self, graph)
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        if len(source.shape) != 4 or len(weights.shape) != 4:
            raise self.error(
                f"expected 4 dimensions, got input {source.shape}, weights {weights.shape}"
            )
        if source.shape[3] != weights.shape[3] or 0 in weights.shape:
            raise self.error(
                f"input '{source.name}' has {source.shape[3]} channels but weights "
                f"'{weights.name}' {weights.shape} take {weights.shape[3]}"
            )
        require_parameters(self, graph, weights.shape[0], narrow_bias=True)
        if spatial(source.shape) != self._window(graph).output_size(self.output_size):
            raise self.error(
                f"no convolution of {self.output_size} gives the size of input '{source.name}' "
                f"{source.shape}"
            )
        return (TensorSpec((source.shape[0], *self.output_size, weights.shape[0]), dtype),)

    def _window(self, graph: Graph) -> Window:
        """The window of the convolution this is the transpose of, which moves over the output."""
        size = spatial(graph.tensor(self.inputs[1]).shape)
        return Window(size, self.stride, padding=self.padding)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Weights per output channel, and a bias."""
        del graph
        return QuantizationRule(weights={1: 0}, bias=2)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Add up the filters of all inputs, bring that to the output's size, add the bias."""
        x, weights, *bias = operands
        whole = xp.conv_transpose(
            x,
            xp.transpose(weights, (1, 2, 0, 3)),
            strides=self.stride,
            padding="valid",
            data_format="channels_last",
        )
        (top, left), _ = self._window(graph).pads(self.output_size)
        height, width = self.output_size
        cut = whole[:, top : top + height, left : left + width]
        missing = [size - have for size, have in zip(self.output_size, cut.shape[1:3], strict=True)]
        widths = ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0))
        sums = xp.pad(cut, widths, constant_values=0) if any(missing) else cut
        return (self.activation.apply(xp, with_bias(xp, sums, *bias)),)

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """Products of inputs and weights."""
        del graph
        return scales[0] * scales[1]

    def macs(self, graph: Graph) -> int:
        """One per input element, filter tap and output channel."""
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        return math.prod(source.shape[:3]) * weights.size

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not TFLite Micro in int16, where it sums up otherwise.

        Nor tflite-runtime 2.14 with an activation, which no version that it has can hold.
        """
        is_wide = graph.tensor(self.outputs[0]).dtype is DType.INT16
        lacking = {
            Oracle.TFLITE_MICRO: is_wide,
            Oracle.TFLITE_RUNTIME: self.activation is not Activation.NONE,
        }
        return tuple(oracle for oracle in self.oracles if not lacking.get(oracle, False))

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 4 with an activation, 3 with a bias, 2 for integers, else 1."""
        source, *parameters = self.present_inputs
        output = graph.tensor(self.outputs[0])
        version = 3 if len(parameters) > 1 else 1 if output.dtype is DType.FLOAT32 else 2
        return TfliteOp(
            opcode="TRANSPOSE_CONV",
            version=version if self.activation is Activation.NONE else 4,
            inputs=(
                InlineConstant("output_shape", np.array(output.shape, np.int32)),
                parameters[0],
                source,
                *parameters[1:],
            ),
            options_table="TransposeConvOptions",
            options={
                "padding": self.padding.value,
                "strideH": self.stride[0],
                "strideW": self.stride[1],
                "fusedActivationFunction": self.activation.value,
                **bias_type_option(self, graph),
            },
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """ConvTranspose; what the window does not cover of the output is its output padding."""
        source, weights, *bias = self.present_inputs
        window = self._window(graph)
        before, after = window.pads(self.output_size)
        covered = [
            (count - 1) * stride + size
            for count, stride, size in zip(
                spatial(graph.tensor(source).shape), self.stride, window.size, strict=True
            )
        ]
        uncovered = [
            size + sum(pads) - reach
            for size, pads, reach in zip(
                self.output_size, zip(before, after, strict=True), covered, strict=True
            )
        ]
        node = OnnxNode(
            op_type="ConvTranspose",
            inputs=(source, OnnxWeight(weights, (3, 0, 1, 2)), *bias),
            outputs=self.outputs,
            attributes={
                "kernel_shape": list(window.size),
                "strides": list(self.stride),
                "pads": [*before, *after],
                "output_padding": uncovered,
            },
            layout=Layout.CHANNELS_FIRST,
        )
        return with_onnx_activation(node, self.activation)

    def to_c(self, graph: Graph) -> Kernel:
        """Gather for each output what its inputs add: the same sums, without scratch.

        CMSIS-NN 3b4e406b's kernel predates a fix of its own (its pull request 233).
        """
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        output = graph.tensor(self.outputs[0])
        require_symmetric_weights(self, weights)
        params = {
            "input_offset": -source.zero_point,
            "output_offset": output.zero_point,
            "stride": tile(self.stride),
            "padding": tile(self._window(graph).pads(self.output_size)[0]),
            "dilation": tile((1, 1)),
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }
        scales = channel_scales(weights, output.shape[3])
        multipliers = [source.scale * scale / output.scale for scale in scales]
        if source.dtype is DType.INT8:
            require_narrow_sums(self, graph, 0)
        elif not sums_in_32_bits(self, graph):
            multipliers = wide_multipliers(self, graph, 0, multipliers)
        function = self._function(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("cmsis_nn_conv_params", "conv_params", params),
                per_channel_quant(multipliers),
                dims("input_dims", source.shape),
                TensorPointer(source.name),
                dims("filter_dims", weights.shape),
                TensorPointer(weights.name),
                TensorPointer(self.inputs[2] if len(self.inputs) > 2 else ""),
                dims("output_dims", output.shape),
                TensorPointer(output.name),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))

    def _function(self, graph: Graph) -> str:
        """Name the kernel that sums in as many bits as the reference."""
        if graph.tensor(self.inputs[0]).dtype is not DType.INT16:
            return self.kernel_name(graph)
        wide, narrow = self.kernel_names(graph)
        return narrow if sums_in_32_bits(self, graph) else wide
