"""What AVERAGE_POOL_2D and MAX_POOL_2D share."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.cmsis_nn import clamp, dims, tile
from tinyml.ops.contract.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.contract.c import KernelCall, ScratchContext, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS
from tinyml.ops.contract.onnx import Layout, OnnxNode, OnnxNodeIn
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.contract.window import Padding, Pair, Window, read_padding, read_pair, spatial
from tinyml.ops.onnx.window import OnnxWindow, read_kernel_shape, read_onnx_window, spatial_rank


@dataclass(frozen=True, kw_only=True)
class Pool2D(Operator):
    """A reduction over a sliding window of each channel."""

    size: Pair
    stride: Pair
    padding: Padding
    activation: Activation

    onnx_type: ClassVar[str]

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the window and the activation."""
        where = f"{node.opcode} '{node.name}'"
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            size=read_pair(node.options, "filterHeight", "filterWidth", where),
            stride=read_pair(node.options, "strideH", "strideW", where),
            padding=read_padding(node.options, where),
            activation=Activation.from_tflite(node),
        )

    @staticmethod
    def read_onnx_window(node: OnnxNodeIn) -> OnnxWindow:
        """Read the window of a pool; a global one covers the whole input."""
        size = spatial(node.operand(0).shape)
        if node.op_type.startswith("Global"):
            return OnnxWindow(size, (1, 1), (1, 1), (0, 0), (0, 0))
        rank = spatial_rank(node)
        window = read_onnx_window(node, read_kernel_shape(node, rank), rank)
        if window.dilation != (1, 1):
            raise node.error(f"dilations {window.dilation} are not supported, expected 1")
        return window

    @classmethod
    def onnx_pool(cls, node: OnnxNodeIn, window: OnnxWindow, source: str, padding: Padding) -> Self:
        """Make the pool of a node over ``source``, its first operand or that padded."""
        return cls(
            name=node.name,
            inputs=(source,),
            outputs=node.outputs[:1],
            size=window.size,
            stride=window.stride,
            padding=padding,
            activation=Activation.NONE,
        )

    @property
    def window(self) -> Window:
        """The pool as a sliding window."""
        return Window(self.size, self.stride, padding=self.padding)

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(N, H', W', C), in the input's dtype."""
        dtype = require_dtype(self, graph)
        source = graph.tensor(self.inputs[0])
        if len(source.shape) != 4:
            raise self.error(f"input '{source.name}' has shape {source.shape}, expected NHWC")
        height, width = self.window.output_size(spatial(source.shape))
        return (TensorSpec((source.shape[0], height, width, source.shape[3]), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """TFLite's kernels do not rescale: the output takes the input's parameters."""
        del graph
        return QuantizationRule(output_follows_input=True)

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Reduce every window, then clamp."""
        del graph
        results = self.pooled(
            xp,
            operands[0],
            pool_size=self.size,
            strides=self.stride,
            padding=self.padding.name.lower(),
            data_format="channels_last",
        )
        return (self.activation.apply(xp, results),)

    @abc.abstractmethod
    def pooled(self, xp: ArrayLibrary, x: Any, **window: Any) -> Any:
        """One element for each window, as ``xp`` wants to be told of it."""

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        return TfliteOp(
            opcode=self.opcodes[0],
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=self.inputs,
            options_table="Pool2DOptions",
            options={
                "padding": self.padding.value,
                "strideH": self.stride[0],
                "strideW": self.stride[1],
                "filterHeight": self.size[0],
                "filterWidth": self.size[1],
                "fusedActivationFunction": self.activation.value,
            },
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Write the pool; padding never counts."""
        attributes = dict(self.window.onnx_attributes(spatial(graph.tensor(self.inputs[0]).shape)))
        del attributes["dilations"]  # AveragePool has them from opset 19 only; here always 1
        node = OnnxNode(
            op_type=self.onnx_type,
            inputs=self.inputs,
            outputs=self.outputs,
            attributes=attributes,
            layout=Layout.CHANNELS_FIRST,
        )
        return with_onnx_activation(node, self.activation)

    def cmsis_nn_call(self, graph: Graph) -> KernelCall:
        """Call a CMSIS-NN pool kernel; both take the same arguments."""
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        params = {
            "stride": tile(self.stride),
            "padding": tile(self.window.pads(spatial(source.shape))[0]),
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }
        return KernelCall(
            function=self.kernel_name(graph),
            arguments=(
                ScratchContext(),
                Struct("cmsis_nn_pool_params", "pool_params", params),
                dims("input_dims", source.shape),
                TensorPointer(source.name),
                dims("filter_dims", (1, *self.size, 1)),
                dims("output_dims", output.shape),
                TensorPointer(output.name),
            ),
            returns_status=True,
        )
