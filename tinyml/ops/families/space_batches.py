"""Images cut into the phases of a grid, each a batch of its own, and put together again."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import Array, DType, Graph, Shape, TensorSpec
from tinyml.ops.contract.checks import require_dtype
from tinyml.ops.contract.inline_constant import InlineConstant
from tinyml.ops.contract.onnx import OnnxNode
from tinyml.ops.contract.oracles import ALL_BUT_MICRO, Oracle
from tinyml.ops.contract.tflite import TfliteNode, TfliteOp
from tinyml.ops.families.movement import Move, MovementOperator


@dataclass(frozen=True, kw_only=True)
class SpaceBatchOperator(MovementOperator):
    """Tensors (N, ..., channels) and every ``block[d]``-th element of spatial dimension d.

    ``borders[d]`` are the elements before and after those of the image that the phases have too.
    """

    block: tuple[int, ...]
    borders: tuple[tuple[int, int], ...]

    # TFLite Micro pads with 0, whatever the zero point is.
    oracles: ClassVar[tuple[Oracle, ...]] = ALL_BUT_MICRO

    @classmethod
    def from_tflite(cls, node: TfliteNode) -> Self:
        """Read block and borders, which must be constant."""
        return cls(
            name=node.name,
            inputs=node.inputs[:1],
            outputs=node.outputs,
            block=tuple(int(size) for size in node.constant_input(1).reshape(-1)),
            borders=tuple(
                (int(before), int(after)) for before, after in node.constant_input(2).reshape(-1, 2)
            ),
        )

    def infer(self, graph: Graph) -> tuple[TensorSpec, ...]:
        """Dtype of the input; the shape is each operator's own."""
        dtype = require_dtype(self, graph)
        shape = graph.tensor(self.inputs[0]).shape
        fits = len(self.block) == len(self.borders) == len(shape) - 2 and len(self.block) > 0
        if not fits or min(self.block) < 1 or min(map(min, self.borders)) < 0 or 0 in shape:
            raise self.unfit(shape)
        return (TensorSpec(self.output_shape(shape), dtype),)

    @abc.abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """Shape of the output; ModelError where the block does not divide the input."""

    def unfit(self, shape: Shape) -> ModelError:
        """Make the error for an input that cannot be cut."""
        return self.error(
            f"block {self.block} and borders {self.borders} do not fit an input of shape {shape}"
        )

    @property
    def has_borders(self) -> bool:
        """Whether the phases hold more than the image."""
        return any(map(any, self.borders))

    def phases(self, batched: Array, image: Array) -> Iterator[Move]:
        """Give views of the same elements, in the batches and in the image."""
        cells = batched.reshape(*self.block, image.shape[0], *batched.shape[1:])
        if not self.has_borders:
            split = image.reshape(self.split_shape(image.shape))
            yield cells, split.transpose(self.grid_order)
            return
        for phase in np.ndindex(*self.block):
            cell_index: list[Any] = [*phase, slice(None)]
            image_index: list[Any] = [slice(None)]
            for axis, offset in enumerate(phase, start=1):
                cell, pixel = self._overlap(axis, offset, batched.shape[axis], image.shape[axis])
                cell_index.append(cell)
                image_index.append(pixel)
            elements: Array = cells[tuple(cell_index)]
            if elements.size:
                yield elements, image[tuple(image_index)]

    def split_shape(self, shape: Shape) -> Shape:
        """Every spatial size as blocks and places within them."""
        pairs = zip(shape[1:-1], self.block, strict=True)
        split = (part for size, step in pairs for part in (size // step, step))
        return (shape[0], *split, shape[-1])

    @property
    def grid_order(self) -> tuple[int, ...]:
        """Dimensions of the split shape, places within the blocks first."""
        places = range(2, 2 * len(self.block) + 1, 2)
        others = (axis for axis in range(2 * len(self.block) + 2) if axis not in places)
        return (*places, *others)

    def _overlap(self, axis: int, offset: int, cells: int, pixels: int) -> tuple[slice, slice]:
        """Cells of a phase that lie on the image, and where."""
        step, before = self.block[axis - 1], self.borders[axis - 1][0]
        first = max(0, -(-(before - offset) // step))
        last = min(cells, -(-(before + pixels - offset) // step))
        start = first * step + offset - before
        return slice(first, max(first, last)), slice(start, start + (last - first) * step, step)

    def write_tflite(self, graph: Graph, borders: str, options_table: str) -> TfliteOp:
        """Version 1, 2 for int8, 3 for other than four dimensions."""
        source = graph.tensor(self.inputs[0])
        version = 2 if source.dtype is DType.INT8 else 1
        return TfliteOp(
            opcode=self.opcodes[0],
            version=version if len(source.shape) == 4 else 3,
            inputs=(
                *self.inputs,
                InlineConstant("block", np.array(self.block, np.int32)),
                InlineConstant(borders, np.array(self.borders, np.int32)),
            ),
            options_table=options_table,
        )


def integers(suffix: str, values: Any) -> InlineConstant:
    """Give an int64 operand of an ONNX node."""
    return InlineConstant(suffix, np.array(values, np.int64))


def onnx_reordered(
    source: str, output: str, shape: Shape, order: tuple[int, ...], result: Shape, prefix: str
) -> tuple[OnnxNode, ...]:
    """Reshape, Transpose, Reshape."""
    split, moved = f"{prefix}/split", f"{prefix}/moved"
    return (
        OnnxNode(op_type="Reshape", inputs=(source, integers("split", shape)), outputs=(split,)),
        OnnxNode(
            op_type="Transpose",
            inputs=(split,),
            outputs=(moved,),
            attributes={"perm": list(order)},
        ),
        OnnxNode(op_type="Reshape", inputs=(moved, integers("joined", result)), outputs=(output,)),
    )
