"""CONV_2D: weights (output channels, height, width, input channels)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from tinyml.ir.graph import DType, Graph, TensorSpec
from tinyml.ops.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.base import (
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
    NO_UPSCALING,
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

# arm_convolve_s8 and arm_convolve_1_x_n_s8 count in uint16_t.
LARGEST_SIZE = 65535


@dataclass(frozen=True, kw_only=True)
class Conv2D(Operator):
    """2-D convolution over NHWC, with bias and fused activation."""

    stride: Pair
    dilation: Pair
    padding: Padding
    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("CONV_2D",)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read strides, dilations, padding and activation."""
        where = f"{node.opcode} '{node.name}'"
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            stride=read_pair(node.options, "strideH", "strideW", where),
            dilation=read_pair(node.options, "dilationHFactor", "dilationWFactor", where),
            padding=read_padding(node.options, where),
            activation=Activation.from_tflite(node),
        )

    def window(self, graph: Graph) -> Window:
        """Give the filter as a sliding window."""
        _, height, width, _ = graph.tensor(self.inputs[1]).shape
        dilation = self.dilation if (height, width) != (1, 1) else (1, 1)
        return Window((height, width), self.stride, dilation, self.padding)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, H', W', output channels), in the input's dtype."""
        dtype = require_dtype(self, graph, DType.FLOAT32, DType.INT8)
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        if len(source.shape) != 4 or len(weights.shape) != 4:
            raise self.error(
                f"expected 4 dimensions, got input {source.shape}, weights {weights.shape}"
            )
        if source.shape[3] != weights.shape[3]:
            raise self.error(
                f"input '{source.name}' has {source.shape[3]} channels but weights "
                f"'{weights.name}' take {weights.shape[3]}; grouped convolution is not supported"
            )
        require_parameters(self, graph, weights.shape[0])
        height, width = self.window(graph).output_size(spatial(source.shape))
        return (TensorSpec((source.shape[0], height, width, weights.shape[0]), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Weights per output channel, int32 bias."""
        del graph
        return QuantizationRule(weights={1: 0}, bias=2)

    def macs(self, graph: Graph) -> int:
        """One per output element and filter tap."""
        weights = graph.tensor(self.inputs[1])
        return graph.tensor(self.outputs[0]).size * (weights.size // weights.shape[0])

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1 for float, 3 for int8."""
        return TfliteOp(
            opcode="CONV_2D",
            version=1 if graph.tensor(self.inputs[0]).dtype is DType.FLOAT32 else 3,
            inputs=self.inputs,
            options_table="Conv2DOptions",
            options={
                "padding": self.padding.value,
                "strideH": self.stride[0],
                "strideW": self.stride[1],
                "dilationHFactor": self.dilation[0],
                "dilationWFactor": self.dilation[1],
                "fusedActivationFunction": self.activation.value,
            },
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Conv with weights as (output channels, input channels, height, width)."""
        source, weights, *bias = self.present_inputs
        conv = OnnxNode(
            op_type="Conv",
            inputs=(source, OnnxWeight(weights, (0, 3, 1, 2)), *bias),
            outputs=self.outputs,
            attributes=self.window(graph).onnx_attributes(spatial(graph.tensor(source).shape)),
            layout=Layout.CHANNELS_FIRST,
        )
        return with_onnx_activation(conv, self.activation)

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call the CMSIS-NN kernel made for the filter's shape.

        The kernel is named here rather than left to ``arm_convolve_wrapper_s8``: the wrapper links
        every kernel into the image, and on MVE its 1xN branch refuses paddings we can avoid.
        """
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        output = graph.tensor(self.outputs[0])
        require_symmetric_weights(self, weights)
        window = self.window(graph)
        function, scratch = self._choose(graph, isas)
        limits = quantized_bounds(self.activation.bounds, output)
        params = {
            "input_offset": -source.zero_point,
            "output_offset": output.zero_point,
            "stride": tile(window.stride),
            "padding": tile(window.pads(spatial(source.shape))[0]),
            "dilation": tile(window.dilation),
            "activation": clamp(limits),
        }
        # TFLite multiplies and divides the float32 scales in double.
        multipliers = [
            source.scale * scale / output.scale
            for scale in channel_scales(weights, weights.shape[0])
        ]
        call = KernelCall(
            function=function,
            arguments=(
                ScratchContext(),
                Struct("cmsis_nn_conv_params", "conv_params", params),
                per_channel_quant(multipliers),
                dims("input_dims", source.shape),
                TensorPointer(source.name),
                dims("filter_dims", weights.shape),
                TensorPointer(weights.name),
                dims("bias_dims", (1, 1, 1, weights.shape[0])),
                TensorPointer(self.inputs[2] if len(self.inputs) > 2 else ""),
                *((NO_UPSCALING,) if function == "arm_convolve_s8" else ()),
                dims("output_dims", output.shape),
                TensorPointer(output.name),
            ),
            returns_status=True,
        )
        return Kernel(calls=(call,), scratch_bytes=scratch)

    def _choose(self, graph: Graph, isas: frozenset[Isa]) -> tuple[str, int]:
        """Name the kernel that is exact on all of ``isas``, and its scratch in bytes."""
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        window = self.window(graph)
        before, after = window.pads(spatial(source.shape))
        if window.size == (1, 1) and before == after == (0, 0):
            fast = window.stride == (1, 1)
            return ("arm_convolve_1x1_s8_fast" if fast else "arm_convolve_1x1_s8"), 0
        require_sizes(self, (source, weights, graph.tensor(self.outputs[0])), LARGEST_SIZE)
        taps = weights.size // weights.shape[0]
        if taps > LARGEST_SIZE:
            raise self.error(
                f"weights '{weights.name}' take {taps} values for one output, "
                f"CMSIS-NN's kernel takes at most {LARGEST_SIZE}"
            )
        if isas == {Isa.MVE} and self._fits_1xn(graph):
            return "arm_convolve_1_x_n_s8", 0
        return "arm_convolve_s8", max(convolve_s8_scratch(taps, isa) for isa in isas)

    def _fits_1xn(self, graph: Graph) -> bool:
        """Whether the MVE 1xN kernel computes this layer.

        It wants rows of height 1, a stride that keeps four-byte alignment, and a right padding
        that the window exactly uses up, which it recomputes from the sizes.
        """
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        window = self.window(graph)
        if source.shape[1] != 1 or window.size[0] != 1 or window.dilation[1] != 1:
            return False
        if output.shape[1] != 1 or window.stride[1] * source.shape[3] % 4 != 0:
            return False
        covered = (output.shape[2] - 1) * window.stride[1] + window.size[1]
        total = covered - source.shape[2]
        (_, left), (_, right) = window.pads(spatial(source.shape))
        if total < 0 or (left, right) != (total // 2, total - total // 2) or right - left > 1:
            return False
        padded = -(-left // window.stride[1]) + -(-right // window.stride[1])
        return padded <= output.shape[2]


def convolve_s8_scratch(taps: int, isa: Isa) -> int:
    """``arm_convolve_s8_get_buffer_size`` for ``taps`` weights per output channel, in bytes."""
    if isa is Isa.MVE:
        return 4 * 8 * -(-taps // 8)
    return 2 * 2 * (-(-taps // 4) * 4)
