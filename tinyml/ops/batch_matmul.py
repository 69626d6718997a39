"""BATCH_MATMUL: products of the matrices in the last two dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.ir.graph import DType, Graph, Shape, TensorSpec
from tinyml.numerics.affine import LIMITS
from tinyml.numerics.arrays import ArrayLibrary
from tinyml.ops.c.int32_sums import require_narrow_products
from tinyml.ops.c.int64_sums import LARGEST_INPUT, require_room
from tinyml.ops.contract.c import Kernel, KernelCall, Struct, TensorPointer
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.dtypes import VERSIONS, Kernels, int8_kernels
from tinyml.ops.contract.onnx import OnnxLowering, OnnxNode, OnnxNodeIn, Operands
from tinyml.ops.contract.operator import Operator, QuantizationRule
from tinyml.ops.contract.oracles import ALL_BUT_TFLITE_RUNTIME, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.batches import apart, joined
from tinyml.ops.families.elementwise import broadcast_walk, finishing, require_same_dtype

# TFLite takes matrices in up to three dimensions more.
LARGEST_RANK = 5


@dataclass(frozen=True, kw_only=True)
class BatchMatMul(Operator):
    """``left @ right``, either transposed first where ``adj_x`` or ``adj_y`` says so."""

    adj_x: bool
    adj_y: bool

    opcodes: ClassVar[tuple[str, ...]] = ("BATCH_MATMUL",)
    kernels: ClassVar[Kernels] = {
        **int8_kernels("tinyml_batch_matmul_s8"),
        DType.INT16: ("tinyml_batch_matmul_s16",),
    }
    onnx_types: ClassVar[Mapping[str, Operands]] = {"MatMul": Operands.AS_ONNX}

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read which of the two is transposed."""
        return cls(
            name=node.name,
            inputs=node.inputs,
            outputs=node.outputs,
            adj_x=bool(node.options.get("adjX", False)),
            adj_y=bool(node.options.get("adjY", False)),
        )

    @classmethod
    def from_onnx(cls, node: OnnxNodeIn) -> OnnxLowering | None:
        """Read a MatMul of matrices."""
        ranks = [len(node.operand(index).shape) for index in (0, 1)]
        if node.operand(1).is_constant and ranks[1] == 2:
            return None  # a FULLY_CONNECTED
        if min(ranks) < 2:
            raise node.error(f"operands of {ranks} dimensions are not supported, expected matrices")
        op = cls(name=node.name, inputs=node.inputs, outputs=node.outputs, adj_x=False, adj_y=False)
        return OnnxLowering(ops=(op,), order=tuple(range(max(ranks))))

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """The batches broadcast, then rows of the left and columns of the right."""
        dtype = require_dtype(self, graph)
        require_same_dtype(self, graph, self.inputs)
        left, right = (graph.tensor(name).shape for name in self.inputs)
        if not (2 <= len(left) <= LARGEST_RANK and 2 <= len(right) <= LARGEST_RANK):
            raise self.error(
                f"inputs have shapes {left} and {right}, expected 2 to {LARGEST_RANK} dimensions"
            )
        (rows, depth), (right_depth, columns) = self._matrices(left, right)
        try:
            batches = np.broadcast_shapes(left[:-2], right[:-2])
        except ValueError:
            batches, right_depth = (), -1
        if depth != right_depth:
            raise self.error(
                f"inputs of shapes {left} and {right} (adj_x {self.adj_x}, adj_y {self.adj_y}) "
                "do not multiply"
            )
        return (TensorSpec((*batches, rows, columns), dtype),)

    def _matrices(self, left: Shape, right: Shape) -> tuple[Shape, Shape]:
        """(rows, depth) and (depth, columns)."""
        return (
            left[-2:][::-1] if self.adj_x else left[-2:],
            right[-2:][::-1] if self.adj_y else right[-2:],
        )

    def quantization_rule(self, graph: Graph) -> QuantizationRule:
        """All tensors have parameters of their own, constants too."""
        del graph
        return QuantizationRule()

    def compute(self, xp: ArrayLibrary, graph: Graph, *operands: Any) -> tuple[Any, ...]:
        """Multiply the matrices of each sample."""
        rank = len(graph.tensor(self.outputs[0]).shape)
        shapes = [graph.tensor(name).shape for name in self.inputs]
        matrices = (apart(xp, x, shape, rank) for x, shape in zip(operands, shapes, strict=True))
        transposed = (*range(rank - 1), rank, rank - 1)
        left, right = (
            xp.transpose(x, transposed) if adjoint else x
            for x, adjoint in zip(matrices, (self.adj_x, self.adj_y), strict=True)
        )
        return (joined(xp, xp.matmul(left, right), graph.tensor(self.outputs[0]).shape),)

    def sum_scale(self, graph: Graph, *scales: Any) -> Any:
        """Products of the inputs."""
        del graph
        return scales[0] * scales[1]

    def macs(self, graph: Graph) -> int:
        """One per output element and element of a row."""
        left, right = (graph.tensor(name).shape for name in self.inputs)
        (_, depth), _ = self._matrices(left, right)
        return graph.tensor(self.outputs[0]).size * depth

    def oracles_in(self, graph: Graph) -> tuple[Oracle, ...]:
        """Not tflite-runtime 2.14 where it multiplies wrong.

        That is where the left matrices are transposed, and the innermost batches are several on
        the left and one on the right.
        """
        left, right = (graph.tensor(name).shape[-3:-2] for name in self.inputs)
        is_wrong = self.adj_x and left > (1,) and right == (1,)
        return ALL_BUT_TFLITE_RUNTIME if is_wrong else self.oracles

    def to_tflite(self, graph: Graph) -> TfliteOp:
        """Write the version that brought the dtype."""
        return TfliteOp(
            opcode="BATCH_MATMUL",
            version=VERSIONS[graph.tensor(self.inputs[0]).dtype],
            inputs=self.inputs,
            options_table="BatchMatMulOptions",
            options={"adjX": self.adj_x, "adjY": self.adj_y},
        )

    def to_onnx(self, graph: Graph) -> tuple[OnnxNode, ...]:
        """MatMul, after a Transpose of what is to be transposed."""
        nodes: list[OnnxNode] = []
        sources: list[str] = []
        for name, transposed in zip(self.inputs, (self.adj_x, self.adj_y), strict=True):
            if not transposed:
                sources.append(name)
                continue
            inner = f"{self.name}/transposed_{len(sources)}"
            rank = len(graph.tensor(name).shape)
            nodes.append(
                OnnxNode(
                    op_type="Transpose",
                    inputs=(name,),
                    outputs=(inner,),
                    attributes={"perm": [*range(rank - 2), rank - 1, rank - 2]},
                    quantized_like=name,
                )
            )
            sources.append(inner)
        product = OnnxNode(op_type="MatMul", inputs=tuple(sources), outputs=self.outputs)
        return (*nodes, product)

    def to_c(self, graph: Graph) -> Kernel:
        """Call our kernel, which steps through a transposed matrix the other way."""
        left, right = (graph.tensor(name) for name in self.inputs)
        output = graph.tensor(self.outputs[0])
        (rows, depth), (_, columns) = self._matrices(left.shape, right.shape)
        # TFLite multiplies these two scales in float32 before it divides in double.
        real = float(np.float32(left.scale) * np.float32(right.scale)) / output.scale
        if output.dtype is DType.INT16:
            require_room(self, graph, real, depth * LARGEST_INPUT**2)
        else:
            require_narrow_products(self, (left, right), depth)
        fields = {
            "batches": broadcast_walk(self, output.shape[:-2], left.shape[:-2], right.shape[:-2]),
            "rows": rows,
            "depth": depth,
            "columns": columns,
            "left_row_step": 1 if self.adj_x else depth,
            "left_depth_step": rows if self.adj_x else 1,
            "right_depth_step": 1 if self.adj_y else columns,
            "right_column_step": depth if self.adj_y else 1,
            "left_offset": -left.zero_point,
            "right_offset": -right.zero_point,
            "output": finishing(output, real, LIMITS[output.dtype]),
        }
        function = self.kernel_name(graph)
        call = KernelCall(
            function=function,
            arguments=(
                Struct("tinyml_batch_matmul_params", "params", fields),
                TensorPointer(left.name),
                TensorPointer(right.name),
                TensorPointer(output.name),
            ),
            source=f"{function}.c",
        )
        return Kernel(calls=(call,))
