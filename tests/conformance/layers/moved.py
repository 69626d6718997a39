"""Layers that move bytes, join them, and put others between them."""

import math

import numpy as np
from single_operator import OUTPUT, SOURCE

from layers.place import Drawer, Layer, Place, one, unary
from tinyml.ir.graph import DType, Shape, Tensor
from tinyml.ops.batch_to_space_nd import BatchToSpaceND
from tinyml.ops.broadcast_to import BroadcastTo
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.families.blocks import BlockOperator
from tinyml.ops.families.resize import ResizeOperator
from tinyml.ops.gather import Gather
from tinyml.ops.mirror_pad import MirrorMode, MirrorPad
from tinyml.ops.one_hot import OneHot
from tinyml.ops.pack import Pack
from tinyml.ops.pad import Pad
from tinyml.ops.padv2 import PadV2
from tinyml.ops.reshape import Reshape
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.ops.slice import Slice
from tinyml.ops.space_to_batch_nd import SpaceToBatchND
from tinyml.ops.split import Split
from tinyml.ops.split_v import SplitV
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.tile import Tile
from tinyml.ops.transpose import Transpose
from tinyml.ops.unpack import Unpack

MOST_DIMENSIONS = 5


def _axis(place: Place) -> int:
    return place.draw.integer(0, len(place.shape) - 1)


def _names(count: int) -> dict[str, tuple[str, ...]]:
    return {"outputs": (OUTPUT, *(f"{OUTPUT}_{number}" for number in range(1, count)))}


def transpose(place: Place) -> Layer:
    order = place.draw.rng.permutation(len(place.shape))
    return one(Transpose(**unary(permutation=tuple(int(axis) for axis in order))))


def slices(place: Place) -> Layer:
    draw, shape = place.draw, place.shape
    begin = tuple(draw.integer(0, (size - 1) // 2) for size in shape)
    left = zip(shape, begin, strict=True)
    size = tuple(draw.integer((have - first + 1) // 2, have - first) for have, first in left)
    return one(Slice(**unary(begin=begin, size=size)))


def strided_slice(place: Place) -> Layer:
    draw, shape = place.draw, place.shape
    fields = {
        "begin": tuple(draw.integer(0, (size - 1) // 2) for size in shape),
        "end": shape,
        "strides": tuple(draw.one_of(1, 1, 2) for _ in shape),
    }
    return one(StridedSlice(**unary(**fields)))


def split(place: Place) -> Layer:
    """Into two or three parts along a dimension that divides."""
    count = place.draw.integer(2, 3)
    return one(Split(**unary(axis=_axis(place)) | _names(count)))


def split_v(place: Place) -> Layer | None:
    """Into up to three parts of any sizes."""
    draw, axis = place.draw, _axis(place)
    size = place.shape[axis]
    if size < 2:
        return None
    inner = draw.rng.choice(np.arange(1, size), min(draw.integer(1, 2), size - 1), replace=False)
    sizes = tuple(int(part) for part in np.diff([0, *sorted(inner), size]))
    return one(SplitV(**unary(axis=axis, part_sizes=sizes) | _names(len(sizes))))


def unpack(place: Place) -> Layer | None:
    axis = _axis(place)
    if place.shape[axis] > 4:
        return None
    return one(Unpack(**unary(axis=axis) | _names(place.shape[axis])))


def pack(place: Place) -> Layer | None:
    """With equals of its shape, a constant, or itself."""
    draw, rank = place.draw, len(place.shape)
    if rank == MOST_DIMENSIONS:
        return None
    constant = place.constant("constant", place.shape)
    choices = (*place.equals(place.shape), constant)
    others = [draw.one_of(*choices) for _ in range(draw.integer(1, 3))]
    names = [SOURCE, *(tensor.name for tensor in others)]
    inputs = tuple(names[i] for i in draw.rng.permutation(len(names)))
    op = Pack(**unary(axis=draw.integer(0, rank)) | {"inputs": inputs})
    return one(op, None, *([constant] if any(t is constant for t in others) else []))


def gather(place: Place) -> Layer:
    draw, axis = place.draw, _axis(place)
    shape = draw.shape(draw.integer(1, 2), 3)
    picked = draw.rng.integers(0, place.shape[axis], shape).astype(np.int32)
    indices = Tensor("indices", shape, DType.INT32, data=picked)
    op = Gather(**unary(axis=axis, batch_dims=0) | {"inputs": (SOURCE, indices.name)})
    return one(op, None, indices)


def one_hot(place: Place) -> Layer | None:
    """int8 at the places that ids name, of which some lie outside."""
    if math.prod(place.shape) > 100:
        return None
    draw, quant = place.draw, place.draw.quant(0.005, 0.5)
    values = [
        Tensor(name, (), DType.INT8, quant, np.asarray(draw.int8(()))) for name in ("on", "off")
    ]
    fields = {"axis": len(place.shape), "depth": draw.integer(1, 6)}
    op = OneHot(**unary(**fields) | {"inputs": (SOURCE, "on", "off")})
    return one(op, quant, *values)


def reverse_v2(place: Place) -> Layer:
    """A run of neighbouring dimensions."""
    first = _axis(place)
    end = place.draw.integer(first + 1, len(place.shape))
    return one(ReverseV2(**unary(axes=tuple(range(first, end)))))


def tile(place: Place) -> Layer:
    return one(Tile(**unary(multiples=tuple(place.draw.one_of(1, 1, 2) for _ in place.shape))))


def broadcast_to(place: Place) -> Layer:
    """Dimensions of 1 grow, and others come before them."""
    draw = place.draw
    grown = tuple(draw.integer(1, 4) if size == 1 else size for size in place.shape)
    before = draw.shape(draw.integer(0, 1), 3) if len(grown) < MOST_DIMENSIONS else ()
    return one(BroadcastTo(**unary(shape=(*before, *grown))))


def mirror_pad(place: Place) -> Layer:
    draw = place.draw
    pairs = tuple((draw.integer(0, 1), draw.integer(0, 1)) for _ in place.shape)
    mode = draw.one_of("REFLECT", "SYMMETRIC")
    return one(MirrorPad(**unary(paddings=pairs, mode=MirrorMode[mode])))


def pad(place: Place) -> Layer:
    return one(Pad(**unary(paddings=_paddings(place))))


def padv2(place: Place) -> Layer:
    value = place.constant("value", (1,))
    op = PadV2(**unary(paddings=_paddings(place)) | {"inputs": (SOURCE, value.name)})
    return one(op, None, value)


def _paddings(place: Place) -> tuple[tuple[int, int], ...]:
    draw = place.draw
    pairs = [(draw.integer(0, 2), draw.integer(0, 2)) for _ in place.shape]
    if len(pairs) > 1:
        pairs[0] = (0, 0)
    return tuple(pairs)


def blocks(operator: type[BlockOperator]) -> Drawer:
    return lambda _: one(operator(**unary(block_size=2)))


def space_to_batch_nd(place: Place) -> Layer | None:
    """Borders that fill whole blocks."""
    if not place.is_image:
        return None
    draw = place.draw
    block = draw.one_of((2, 2), draw.shape(2, 3))
    before = tuple(draw.integer(0, size - 1) for size in block)
    sizes = zip(place.shape[1:3], block, before, strict=True)
    borders = tuple((first, -(size + first) % step) for size, step, first in sizes)
    return one(SpaceToBatchND(**unary(block=block, borders=borders)))


def batch_to_space_nd(place: Place) -> Layer | None:
    """Blocks that divide the batches, which only another layer can have made more than one."""
    if not place.is_image:
        return None
    draw, batches = place.draw, place.shape[0]
    height = draw.one_of(*(size for size in range(1, batches + 1) if batches % size == 0))
    block = (height, batches // height)
    borders = tuple((draw.integer(0, size // 2), 0) for size in block)
    return one(BatchToSpaceND(**unary(block=block, borders=borders)))


def resize(operator: type[ResizeOperator]) -> Drawer:
    def layer(place: Place) -> Layer:
        draw = place.draw
        corners, centers = draw.one_of((False, False), (True, False), (False, True))
        fields = {"align_corners": corners, "half_pixel_centers": centers}
        return one(operator(**unary(size=draw.shape(2, 12), **fields)))

    return layer


def concatenation(place: Place) -> Layer | None:
    """Join with tensors that have the same parameters already, or with itself, or a constant."""
    draw, source = place.draw, place.source
    axis = draw.integer(min(1, len(source.shape) - 1), len(source.shape) - 1)

    def fits(tensor: Tensor) -> bool:
        return tensor.quant == source.quant and _without(tensor, axis) == _without(source, axis)

    fitting = [tensor for tensor in place.others if fits(tensor)]
    grown = (*source.shape[:axis], draw.integer(1, 3), *source.shape[axis + 1 :])
    constant = place.constant("constant", grown)
    if not fitting and draw.chance(3 / 4):
        return None
    constants = () if fitting and draw.chance(4 / 5) else (constant,)
    chosen = [draw.one_of(*fitting).name for _ in range(draw.integer(1, 3)) if fitting]
    parts = [SOURCE, *chosen, *(tensor.name for tensor in constants)]
    inputs = tuple(parts[i] for i in draw.rng.permutation(len(parts)))
    op: Operator = Concatenation(**unary(axis=axis) | {"inputs": inputs})
    return one(op, None, *constants)


def _without(tensor: Tensor, axis: int) -> tuple[DType, int, Shape, Shape]:
    return tensor.dtype, len(tensor.shape), tensor.shape[:axis], tensor.shape[axis + 1 :]


def reshape(place: Place) -> Layer:
    """To one row, a sequence, an image of other proportions, or with a dimension of 1 before."""
    draw, shape, size = place.draw, place.shape, place.source.size
    divisors = [divisor for divisor in range(1, size + 1) if size % divisor == 0]
    height = draw.one_of(*divisors)
    width = draw.one_of(*(divisor for divisor in divisors if size // height % divisor == 0))
    image = (1, height, width, size // height // width)
    sequence = (1, math.prod(shape[:-1]), shape[-1])
    wanted = draw.one_of((1, size), image, image, sequence, sequence[1:], (1, *shape))
    return one(Reshape(**unary(shape=image if len(wanted) > MOST_DIMENSIONS - 1 else wanted)))
