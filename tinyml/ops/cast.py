"""CAST between integer types: the numbers as they are stored, whatever their scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tinyml.ir.graph import Array, DType, Graph, TensorSpec
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import Kernels
from tinyml.ops.contract.onnx import ONNX_TYPES, OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TFLITE_TYPES, TfliteNode, TfliteOp
from tinyml.ops.families.pointwise import PointwiseOperator
from tinyml.ops.onnx.elementwise import plain_lowering

ON_DEVICE = (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.BOOL)


@dataclass(frozen=True, kw_only=True)
class Cast(PointwiseOperator):
    """Elements as ``dtype``: cut off where they do not fit, other than zero where it is bool."""

    dtype: DType

    opcodes: ClassVar[tuple[str, ...]] = ("CAST",)
    differentiable: ClassVar[bool] = False
    folds: ClassVar[bool] = True
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO
    kernels: ClassVar[Kernels] = {
        **dict.fromkeys(TFLITE_TYPES, ()),
        **dict.fromkeys(ON_DEVICE, ("tinyml_cast",)),
    }

    onnx_types: ClassVar[Mapping[str, Operands]] = {"Cast": Operands.ANY}

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read one to a type that TFLite has too."""
        types = {code: dtype for dtype, code in ONNX_TYPES.items()}
        dtype = types.get(int(node.attributes.get("to", 0)))
        if dtype is None:
            raise node.error(f"casts to the type of number {node.attributes.get('to')}")
        return plain_lowering(cls, node, 1, dtype=dtype)

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Take the output's dtype, which the options may leave out."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            dtype=node.tensors[node.outputs[0]].dtype,
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Shape of the input."""
        require_dtype(self, graph)
        if self.dtype not in TFLITE_TYPES:
            raise self.error(f"casting to {self.dtype.value} is not supported")
        return (TensorSpec(graph.tensor(self.inputs[0]).shape, self.dtype),)

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """Leave the tensors' parameters, if any, as they are."""
        del graph
        return QuantizationRule()

    def fold(self, graph: Graph) -> tuple[Array, ...] | None:
        """Cast a constant here and now, unless C leaves open what becomes of a large float."""
        source = graph.tensor(self.inputs[0])
        to_integer = source.dtype is DType.FLOAT32 and self.dtype is not DType.FLOAT32
        return None if to_integer else super().fold(graph)

    def apply(self, xp: ArrayLibrary, *operands: Any) -> Any:
        """Cast the only operand: a bool to 0 and 1, a number to whether it is not 0."""
        (x,) = operands
        return xp.cast(x, self.dtype.value)

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write version 1, 3 where int8 is involved."""
        source = graph.tensor(self.inputs[0])
        return TfliteOp(
            opcode="CAST",
            version=3 if DType.INT8 in {source.dtype, self.dtype} else 1,
            inputs=self.inputs,
            options_table="CastOptions",
            options={
                "inDataType": TFLITE_TYPES[source.dtype],
                "outDataType": TFLITE_TYPES[self.dtype],
            },
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """Cast, where no scale stands between the numbers stored and those meant."""
        for name in (*self.inputs, *self.outputs):
            if graph.tensor(name).quant is not None:
                raise self.error(
                    f"'{name}' is quantized, and ONNX would cast the real numbers; export .tflite "
                    "or C"
                )
        node = OnnxNode(
            op_type="Cast",
            inputs=self.inputs,
            outputs=self.outputs,
            attributes={"to": ONNX_TYPES[self.dtype]},
        )
        return (node,)

    def to_c(self, graph: Graph) -> Kernel:
        """Read and write each element with its own size."""
        source = graph.tensor(self.inputs[0])
        if not {source.dtype, self.dtype} <= set(ON_DEVICE):
            names = ", ".join(known.value for known in ON_DEVICE)
            raise self.error(
                f"casts {source.dtype.value} to {self.dtype.value}, the device casts between "
                f"{names}; use QUANTIZE or DEQUANTIZE for real numbers"
            )
        params = {
            "input_bytes": source.dtype.itemsize,
            "is_signed": int(source.dtype.numpy.kind == "i"),
            "output_bytes": self.dtype.itemsize,
            "to_bool": int(self.dtype is DType.BOOL),
            "size": source.size,
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_cast_params", "cast_params", params),
                TensorPointer(source.name),
                TensorPointer(self.outputs[0]),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))
