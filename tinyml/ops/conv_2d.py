"""CONV_2D: weights (output channels, height, width, input channels)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.ops.c.cmsis_nn import NO_UPSCALING, require_sizes, require_symmetric_weights
from tinyml.ops.c.int32_sums import require_narrow_sums
from tinyml.ops.c.int64_sums import bias_type_option, has_narrow_bias
from tinyml.ops.contract.c import Isa, Kernel, Struct
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

# arm_convolve_s8 and arm_convolve_1_x_n_s8 count in uint16_t.
LARGEST_SIZE = 65535

# Elements arm_convolve_s8 rounds a row of its scratch up to on MVE.
MVE_LANES, MVE_LANES_SINCE_6 = 8, 16

VERSIONS = {DType.FLOAT32: 1, DType.INT8: 3, DType.INT16: 4}


@dataclass(frozen=True, kw_only=True)
class Conv2D(Convolution):
    """2-D convolution over NHWC, with bias and fused activation."""

    opcodes: ClassVar[tuple[str, ...]] = ("CONV_2D",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels(
            "arm_convolve_1x1_s8_fast",
            "arm_convolve_1x1_s8",
            "arm_convolve_1_x_n_s8",
            "arm_convolve_s8",
        ),
        DType.INT16: ("tinyml_convolve_s16", "tinyml_convolve_s16_bias32"),
    }
    only_for: ClassVar[Mapping[str, frozenset[Isa]]] = {
        "arm_convolve_1_x_n_s8": frozenset([Isa.MVE])
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

    def to_c(self, graph: Graph, isas: frozenset[Isa]) -> Kernel:
        """Call the CMSIS-NN kernel made for the filter's shape.

        The kernel is named here rather than left to ``arm_convolve_wrapper_s8``: the wrapper links
        every kernel into the image, and on MVE its 1xN branch refuses paddings we can avoid. The
        1xN kernel of 6.0.0 and later is wrong under padding with a stride, and left aside.
        """
        require_symmetric_weights(self, graph.tensor(self.inputs[1]))
        params = Struct("cmsis_nn_conv_params", "conv_params", self.cmsis_nn_params(graph))
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return self._wide_kernel(graph, params)
        require_narrow_sums(self, graph, self.channel_axis)
        if self._is_pointwise(graph):
            fast = self.stride == (1, 1)
            function = "arm_convolve_1x1_s8_fast" if fast else "arm_convolve_1x1_s8"
            return Kernel(calls=(self.cmsis_nn_call(graph, function, params, self.bias_pointer),))
        self._require_sizes(graph)
        since_6 = self._general_kernel(graph, isas, params, MVE_LANES_SINCE_6)
        if isas <= self.only_for["arm_convolve_1_x_n_s8"] and self._fits_1xn(graph):
            call = self.cmsis_nn_call(graph, "arm_convolve_1_x_n_s8", params, self.bias_pointer)
            return Kernel(calls=(call,), since_6=since_6)
        kernel = self._general_kernel(graph, isas, params, MVE_LANES)
        return replace(kernel, since_6=since_6) if Isa.MVE in isas else kernel

    def _general_kernel(
        self, graph: Graph, isas: frozenset[Isa], params: Struct, lanes: int
    ) -> Kernel:
        call = self.cmsis_nn_call(graph, "arm_convolve_s8", params, self.bias_pointer, NO_UPSCALING)
        scratch = max(convolve_s8_scratch(self._taps(graph), isa, lanes) for isa in isas)
        return Kernel(calls=(call,), scratch_bytes=scratch)

    def _wide_kernel(self, graph: Graph, params: Struct) -> Kernel:
        """Call a 16x8 kernel of our own: that of CMSIS-NN changed its interface with 6.0.0."""
        wide, narrow = self.kernel_names(graph)
        function = narrow if has_narrow_bias(self, graph) else wide
        call = self.cmsis_nn_call(graph, function, params, self.bias_pointer)
        return Kernel(calls=(replace(call, source=f"{function}.c"),))

    def _is_pointwise(self, graph: Graph) -> bool:
        """Whether each output pixel is made of one input pixel, and none of padding."""
        window = self.window(graph)
        pads = window.pads(spatial(graph.tensor(self.inputs[0]).shape))
        return window.size == (1, 1) and pads == ((0, 0), (0, 0))

    def _require_sizes(self, graph: Graph) -> None:
        tensors = [graph.tensor(name) for name in (*self.inputs[:2], *self.outputs)]
        require_sizes(self, tensors, LARGEST_SIZE)
        if self._taps(graph) > LARGEST_SIZE:
            raise self.error(
                f"weights '{tensors[1].name}' take {self._taps(graph)} values for one output, "
                f"CMSIS-NN's kernel takes at most {LARGEST_SIZE}"
            )

    def _taps(self, graph: Graph) -> int:
        """Weights of one output channel."""
        weights = graph.tensor(self.inputs[1])
        return weights.size // weights.shape[0]

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


def convolve_s8_scratch(taps: int, isa: Isa, lanes: int = MVE_LANES) -> int:
    """``arm_convolve_s8_get_buffer_size`` for ``taps`` weights per output channel, in bytes."""
    if isa is Isa.MVE:
        return 4 * lanes * -(-taps // lanes)
    return 2 * 2 * (-(-taps // 4) * 4)
