"""What CONV_2D and DEPTHWISE_CONV_2D share."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from tinyml.ir.graph import DType, Graph, Tensor
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import channel_scales, clamp, dims, per_channel_quant, tile
from tinyml.ops.c.int64_sums import has_narrow_bias, wide_multipliers
from tinyml.ops.contract.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.contract.c import Argument, KernelCall, ScratchContext, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.onnx import Layout, OnnxLowering, OnnxNode, OnnxNodeIn, OnnxWeight
from tinyml.ops.contract.operator import Operator
from tinyml.ops.contract.tflite import TfliteNode
from tinyml.ops.contract.window import Padding, Pair, Window, read_padding, read_pair, spatial
from tinyml.ops.onnx.window import bias_or_zeros, read_onnx_window, spatial_rank
from tinyml.ops.pad import padded_for_onnx


def with_bias(xp: ArrayLibrary, sums: Any, bias: Any = None) -> Any:
    """Add the bias where there is one."""
    return sums if bias is None else xp.add(sums, bias)


@dataclass(frozen=True, kw_only=True)
class Convolution(Operator):
    """A sum of products over a sliding window, with bias and fused activation."""

    stride: Pair
    dilation: Pair
    padding: Padding
    activation: Activation

    channel_axis: ClassVar[int]  # of the weights, along which output channels run

    @staticmethod
    def read_fields(node: TfliteNode) -> dict[str, Any]:
        """Read strides, dilations, padding and activation."""
        where = f"{node.opcode} '{node.name}'"
        return {
            "name": node.name,
            "inputs": node.inputs,
            "outputs": node.outputs,
            "stride": read_pair(node.options, "strideH", "strideW", where),
            "dilation": read_pair(node.options, "dilationHFactor", "dilationWFactor", where),
            "padding": read_padding(node.options, where),
            "activation": Activation.from_tflite(node),
        }

    @classmethod
    def onnx_lowering(
        cls, node: OnnxNodeIn, weights: Tensor, channels: int, **fields: int
    ) -> OnnxLowering:
        """Read bias and window of a Conv; pads that are neither SAME nor VALID become a PAD."""
        bias = bias_or_zeros(node, 2, channels)
        window = read_onnx_window(node, spatial(weights.shape), spatial_rank(node))
        source, padding, pads = padded_for_onnx(node, window)
        conv = cls(
            name=node.name,
            inputs=(source, weights.name, bias.name),
            outputs=node.outputs,
            stride=window.stride,
            dilation=window.dilation,
            padding=padding,
            activation=Activation.NONE,
            **fields,
        )
        return OnnxLowering(ops=(*pads, conv), constants=(weights, bias))

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Sum the products, add the bias, clamp.

        TensorFlow has no windows that are dilated and strided, nor depthwise ones whose strides
        differ: of these the sums are taken at every place first.
        """
        x, weights, *bias = operands
        window = self.window(graph)
        stride, padding = window.stride, window.padding
        dense = window.dilation != (1, 1) or stride[0] != stride[1]
        if dense:
            before, after = window.pads(spatial(graph.tensor(self.inputs[0]).shape))
            x = xp.pad(x, ((0, 0), *zip(before, after, strict=True), (0, 0)), constant_values=0)
            stride, padding = (1, 1), Padding.VALID
        sums = self.sums(
            xp,
            x,
            weights,
            strides=stride,
            padding=padding.name.lower(),
            data_format="channels_last",
            dilation_rate=window.dilation,
        )
        if dense:
            sums = sums[:, :: window.stride[0], :: window.stride[1]]
        return (self.activation.apply(xp, with_bias(xp, sums, *bias)),)

    @abc.abstractmethod
    def sums(self, xp: ArrayLibrary, x: Any, weights: Any, **window: Any) -> Any:
        """Sums of products at every place of a window, as ``xp`` wants to be told of it."""

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """Products of inputs and weights."""
        del graph
        return scales[0] * scales[1]

    def window(self, graph: Graph) -> Window:
        """Give the filter as a sliding window."""
        _, height, width, _ = graph.tensor(self.inputs[1]).shape
        dilation = self.dilation if (height, width) != (1, 1) else (1, 1)
        return Window((height, width), self.stride, dilation, self.padding)

    def checked_inputs(self, graph: Graph) -> tuple[Tensor, Tensor, DType]:
        """Input and weights, which must have 4 dimensions, and the input's dtype."""
        dtype = require_dtype(self, graph)
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        if len(source.shape) != 4 or len(weights.shape) != 4:
            raise self.error(
                f"expected 4 dimensions, got input {source.shape}, weights {weights.shape}"
            )
        return source, weights, dtype

    def tflite_options(self) -> dict[str, Any]:
        """Fields of both options tables."""
        return {
            "padding": self.padding.value,
            "strideH": self.stride[0],
            "strideW": self.stride[1],
            "dilationHFactor": self.dilation[0],
            "dilationWFactor": self.dilation[1],
            "fusedActivationFunction": self.activation.value,
        }

    def onnx_conv(
        self, graph: Graph, permutation: tuple[int, ...], group: int = 1
    ) -> tuple[OnnxNode, ...]:
        """Conv with its weights transposed by ``permutation``, then the activation."""
        source, weights, *bias = self.present_inputs
        attributes = self.window(graph).onnx_attributes(spatial(graph.tensor(source).shape))
        conv = OnnxNode(
            op_type="Conv",
            inputs=(source, OnnxWeight(weights, permutation), *bias),
            outputs=self.outputs,
            attributes={**attributes, **({"group": group} if group != 1 else {})},
            layout=Layout.CHANNELS_FIRST,
        )
        return with_onnx_activation(conv, self.activation)

    def cmsis_nn_params(self, graph: Graph, **first: int) -> Mapping[str, Any]:
        """Fields of both parameter structs; ``first`` come before the strides."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        window = self.window(graph)
        return {
            "input_offset": -source.zero_point,
            "output_offset": output.zero_point,
            **first,
            "stride": tile(window.stride),
            "padding": tile(window.pads(spatial(source.shape))[0]),
            "dilation": tile(window.dilation),
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }

    def cmsis_nn_call(
        self, graph: Graph, function: str, params: Struct, bias: Argument, *after_bias: Argument
    ) -> KernelCall:
        """Call a convolution kernel; all of them take these arguments in this order."""
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        output = graph.tensor(self.outputs[0])
        channels = output.shape[3]
        # TFLite multiplies and divides the float32 scales in double.
        multipliers = [
            source.scale * scale / output.scale for scale in channel_scales(weights, channels)
        ]
        if source.dtype is DType.INT16 and not has_narrow_bias(self, graph):
            multipliers = wide_multipliers(self, graph, self.channel_axis, multipliers)
        return KernelCall(
            function=function,
            arguments=(
                ScratchContext(),
                params,
                per_channel_quant(multipliers),
                dims("input_dims", source.shape),
                TensorPointer(source.name),
                dims("filter_dims", weights.shape),
                TensorPointer(weights.name),
                dims("bias_dims", (1, 1, 1, channels)),
                bias,
                *after_bias,
                dims("output_dims", output.shape),
                TensorPointer(output.name),
            ),
            returns_status=True,
        )

    @property
    def bias_pointer(self) -> TensorPointer:
        """The bias, NULL where there is none."""
        return TensorPointer(self.inputs[2] if len(self.inputs) > 2 else "")
