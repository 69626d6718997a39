"""FULLY_CONNECTED: weights (output features, input features)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Tensor, TensorSpec
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.c.cmsis_nn import clamp, dims, per_channel_quant, require_symmetric_weights, tile
from tinyml.ops.c.int32_sums import require_narrow_sums
from tinyml.ops.c.int64_sums import bias_type_option, sums_in_32_bits, wide_multipliers
from tinyml.ops.contract.activation import Activation, quantized_bounds, with_onnx_activation
from tinyml.ops.contract.c import (
    Argument,
    Kernel,
    KernelCall,
    ScratchContext,
    Struct,
    TensorPointer,
)
from tinyml.ops.contract.checks import require_dtype, require_parameters
from tinyml.ops.contract.dtypes import Kernels, int8_kernels
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import (
    OnnxLowering,
    OnnxNode,
    OnnxNodeIn,
    OnnxWeight,
    Operands,
    float_constant,
    transposed_constant,
)
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp

# Products that arm_nn_vec_mat_mult_t_s16 sums in 32 bits (its MAX_COL_COUNT).
CMSIS_NN_PART = 512


@dataclass(frozen=True, kw_only=True)
class FullyConnected(Operator):
    """``x @ weights.T + bias`` over the last dimension, with fused activation."""

    keep_num_dims: bool
    activation: Activation

    opcodes: ClassVar[tuple[str, ...]] = ("FULLY_CONNECTED",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_convolve_s8"),
        DType.INT16: (
            "arm_fully_connected_s16",
            "tinyml_convolve_s16",
            "tinyml_fully_connected_s16",
        ),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {
        "Gemm": Operands.AS_ONNX,
        "MatMul": Operands.AS_ONNX,
    }

    # LiteRT requantizes it in float.
    oracles: ClassVar[tuple[Oracle, ...]] = (Oracle.TFLITE_RUNTIME, Oracle.TFLITE_MICRO)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read the activation and whether leading dimensions are kept."""
        operator = cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            keep_num_dims=bool(node.options.get("keepNumDims", False)),
            activation=Activation.from_tflite(node),
        )
        if node.options.get("weightsFormat", 0) != 0:
            raise operator.error("shuffled weights are not supported, expected the default format")
        return operator

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a Gemm, or a MatMul by a constant matrix."""
        weights = node.operand(1)
        if node.op_type == "MatMul" and (weights.data is None or len(weights.shape) != 2):
            return None
        if weights.data is None or node.attributes.get("transA", 0):
            raise node.error(
                f"expected rows times a constant matrix, got '{node.inputs[0]}' transposed or "
                f"'{weights.name}' computed at run time"
            )
        if not node.attributes.get("transB", 0):
            weights = transposed_constant(weights, (1, 0))
        weights = _scaled(weights, node.attributes.get("alpha", 1.0))
        bias = _onnx_bias(node, weights.shape[0])
        connected = cls(
            name=node.name,
            inputs=(node.inputs[0], weights.name, *(tensor.name for tensor in bias)),
            outputs=node.outputs,
            keep_num_dims=len(node.operand(0).shape) > 2,
            activation=Activation.NONE,
        )
        return OnnxLowering(ops=(connected,), constants=(weights, *bias))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """(rows, output features), or the input's shape with its last dimension replaced."""
        dtype = require_dtype(self, graph)
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        if len(weights.shape) != 2 or not weights.is_constant:
            raise self.error(f"weights '{weights.name}' must be a constant of 2 dimensions")
        features, depth = weights.shape
        require_parameters(self, graph, features, narrow_bias=True)
        if depth == 0 or source.size % depth or (self.keep_num_dims and source.shape[-1] != depth):
            raise self.error(
                f"input '{source.name}' {source.shape} does not fit weights '{weights.name}' "
                f"{weights.shape}"
            )
        if self.keep_num_dims:
            return (TensorSpec((*source.shape[:-1], features), dtype),)
        return (TensorSpec((source.size // depth, features), dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Weights per tensor, and a bias: runtimes took up weights per channel only lately."""
        del graph
        return QuantizationRule(weights={1: None}, bias=2)

    def macs(self, graph: Graph) -> int:
        """One per output element and input feature."""
        return graph.tensor(self.outputs[0]).size * graph.tensor(self.inputs[1]).shape[1]

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version the features in use came with."""
        return TfliteOp(
            opcode="FULLY_CONNECTED",
            version=self._tflite_version(graph),
            inputs=self.inputs,
            options_table="FullyConnectedOptions",
            options={
                "keepNumDims": self.keep_num_dims,
                "fusedActivationFunction": self.activation.value,
                **bias_type_option(self, graph),
            },
        )

    def _tflite_version(self, graph: Graph) -> int:
        weights = graph.tensor(self.inputs[1])
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return 7
        if weights.dtype is DType.INT8:
            if weights.quant is not None and weights.quant.is_per_channel:
                return 12
            return 4 if not self._has_no_bias else 6
        if self._has_no_bias:
            return 6
        return 5 if self.keep_num_dims else 1

    @property
    def _has_no_bias(self) -> bool:
        return len(self.present_inputs) < 3

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Gemm between reshapes to rows and back, where the input has other dimensions."""
        source, weights, *bias = self.present_inputs
        depth = graph.tensor(weights).shape[1]
        output = graph.tensor(self.outputs[0])
        rows, product = f"{self.name}/rows", f"{self.name}/product"
        before = replace(_onnx_reshape(source, rows, (-1, depth)), quantized_like=source)
        as_is = len(graph.tensor(source).shape) == 2
        gemm = OnnxNode(
            op_type="Gemm",
            inputs=(source if as_is else rows, OnnxWeight(weights, (0, 1)), *bias),
            outputs=(self.outputs[0] if len(output.shape) == 2 else product,),
            attributes={"transB": 1},
            quantized_like=self.outputs[0],
        )
        nodes = (*(() if as_is else (before,)), *with_onnx_activation(gemm, self.activation))
        if len(output.shape) == 2:
            return nodes
        return (*nodes, _onnx_reshape(product, self.outputs[0], output.shape))

    def to_c(self, graph: Graph) -> Kernel:
        """Run the sums as a convolution over pixels; CMSIS-NN's kernels for int8 are candidates.

        Weights per channel reach the device as a 1x1 convolution
        (passes/lower_per_channel_fully_connected.py).
        """
        weights = graph.tensor(self.inputs[1])
        require_symmetric_weights(self, weights)
        if weights.quant is not None and weights.quant.is_per_channel:
            raise self.error(f"weights '{weights.name}' per channel must be lowered first")
        if graph.tensor(self.inputs[0]).dtype is DType.INT16:
            return Kernel(calls=(self._wide_call(graph),))
        require_narrow_sums(self, graph, 0)
        return Kernel(calls=(self.convolution_call(graph, self.kernel_name(graph)),))

    def _wide_call(self, graph: Graph) -> KernelCall:
        """16x8: 64-bit sums with a bias of as many, else 32-bit ones, as in TFLite's reference."""
        weights = graph.tensor(self.inputs[1])
        if sums_in_32_bits(self, graph):
            return self._narrow_call(graph)
        reals = wide_multipliers(self, graph, 0, [self._multiplier(graph)] * weights.shape[0])
        if _overflows_first_part(weights):
            return self.convolution_call(graph, "tinyml_convolve_s16", reals)
        return self.call(graph, "arm_fully_connected_s16", ScratchContext(), real=max(reals))

    def convolution_call(
        self, graph: Graph, function: str, reals: list[float] | None = None
    ) -> KernelCall:
        """The same sums as a convolution over one pixel a row, by a kernel of ours.

        ``reals`` are the multipliers of the features where they are not all the operator's.
        """
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        features, depth = graph.tensor(self.inputs[1]).shape
        rows = output.size // features
        reals = reals or [self._multiplier(graph)] * features
        offsets = {"input_offset": -source.zero_point, "output_offset": output.zero_point}
        params = {
            **(offsets if source.dtype is DType.INT8 else {}),
            "stride": tile((1, 1)),
            "padding": tile((0, 0)),
            "dilation": tile((1, 1)),
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }
        return KernelCall(
            function=function,
            arguments=(
                ScratchContext(),
                Struct("cmsis_nn_conv_params", "conv_params", params),
                per_channel_quant(reals),
                dims("input_dims", (1, 1, rows, depth)),
                TensorPointer(source.name),
                dims("filter_dims", (features, 1, 1, depth)),
                TensorPointer(self.inputs[1]),
                dims("bias_dims", (1, 1, 1, features)),
                TensorPointer("" if self._has_no_bias else self.inputs[2]),
                dims("output_dims", (1, 1, rows, features)),
                TensorPointer(output.name),
            ),
            source=f"{function}.c",
            returns_status=True,
        )

    def _narrow_call(self, graph: Graph) -> KernelCall:
        features, depth = graph.tensor(self.inputs[1]).shape
        multiplier, shift = quantize_multiplier(self._multiplier(graph))
        output = graph.tensor(self.outputs[0])
        bias = "" if self._has_no_bias else self.inputs[2]
        low, high = quantized_bounds(self.activation.bounds, output)
        params = {
            "rows": output.size // features,
            "depth": depth,
            "features": features,
            "multiplier": multiplier,
            "shift": shift,
            "min": low,
            "max": high,
        }
        return KernelCall(
            function="tinyml_fully_connected_s16",
            arguments=(
                Struct("tinyml_fully_connected_params", "fc_params", params),
                *map(TensorPointer, (*self.inputs[:2], bias, *self.outputs)),
            ),
            source="tinyml_fully_connected_s16.c",
        )

    def _multiplier(self, graph: Graph) -> float:
        """Multiply two scales in float32 and divide in double, as TFLite does.

        It is ``GetQuantizedConvolutionMultipler``.
        """
        source, weights = graph.tensor(self.inputs[0]), graph.tensor(self.inputs[1])
        product = float(np.float32(source.scale) * np.float32(weights.scale))
        return product / graph.tensor(self.outputs[0]).scale

    def call(
        self,
        graph: Graph,
        function: str,
        context: ScratchContext,
        weights: Argument | None = None,
        real: float | None = None,
    ) -> KernelCall:
        """Call a kernel of CMSIS-NN, which has one multiplier, ``real``, for all outputs.

        ``weights`` are those of the graph, or the same in another form.
        """
        source, output = graph.tensor(self.inputs[0]), graph.tensor(self.outputs[0])
        features, depth = graph.tensor(self.inputs[1]).shape
        rows = source.size // depth
        multiplier, shift = quantize_multiplier(self._multiplier(graph) if real is None else real)
        params = {
            "input_offset": -source.zero_point,
            "filter_offset": 0,
            "output_offset": output.zero_point,
            "activation": clamp(quantized_bounds(self.activation.bounds, output)),
        }
        return KernelCall(
            function=function,
            arguments=(
                context,
                Struct("cmsis_nn_fc_params", "fc_params", params),
                Struct(
                    "cmsis_nn_per_tensor_quant_params",
                    "quant_params",
                    {"multiplier": multiplier, "shift": shift},
                ),
                dims("input_dims", (rows, 1, 1, depth)),
                TensorPointer(source.name),
                dims("filter_dims", (depth, 1, 1, features)),
                weights or TensorPointer(self.inputs[1]),
                dims("bias_dims", (1, 1, 1, features)),
                TensorPointer("" if self._has_no_bias else self.inputs[2]),
                dims("output_dims", (rows, 1, 1, features)),
                TensorPointer(output.name),
            ),
            returns_status=True,
        )


def _overflows_first_part(weights: Tensor) -> bool:
    """Whether CMSIS-NN's 16x8 kernel may overflow, which sums the first 512 products in 32 bits.

    With DSP or MVE instructions it does. Only 512 times -128 x -32768 reaches 2^31.
    """
    first = weights.constant[:, :CMSIS_NN_PART]
    return first.shape[1] == CMSIS_NN_PART and bool((first == -128).all(axis=1).any())


def _onnx_reshape(source: str, output: str, shape: tuple[int, ...]) -> OnnxNode:
    constant = InlineConstant("shape", np.array(shape, np.int64))
    return OnnxNode(op_type="Reshape", inputs=(source, constant), outputs=(output,))


def _scaled(weights: Tensor, factor: float) -> Tensor:
    """Multiply weights, and their scales where they have any."""
    if factor == 1:
        return weights
    quant = weights.quant
    if quant is not None:
        quant = replace(quant, scale=tuple(scale * factor for scale in quant.scale))
    return replace(weights, quant=quant, data=weights.constant * np.float32(factor))


def _onnx_bias(node: OnnxNodeIn, features: int) -> tuple[Tensor, ...]:
    """Read a Gemm's third input, which must be the same for every row; none where it has none."""
    beta = node.attributes.get("beta", 1.0)
    if node.op_type == "MatMul" or not node.has_input(2):
        return ()
    bias = node.operand(2)
    is_row = bias.size in {1, features} and math.prod(bias.shape[:-1]) == 1
    if bias.data is None or not is_row:
        raise node.error(
            f"bias '{bias.name}' {bias.shape} must be a constant of {features} elements"
        )
    if beta == 1 and bias.size == features:
        return (replace(bias, shape=(features,), data=bias.constant.reshape(-1)),)
    spread = np.broadcast_to(bias.constant.reshape(-1) * beta, (features,))
    return (float_constant(node.inner("bias"), spread),)
