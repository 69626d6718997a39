"""How the values of an ONNX model lie in the graph's tensors.

ONNX images are (N, C, H, W), the graph's (N, H, W, C). A value therefore comes with the order of
its dimensions in the tensor that holds it; transposing a value changes that order and nothing else.
A tensor is transposed for real only where an operator asks for an order it is not in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml.ir.graph import Shape

# For each dimension of one side the dimension of the other; None for a size of 1 it lacks.
Order = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class View:
    """An ONNX value of ``shape``, whose dimension d is dimension ``order[d]`` of ``tensor``.

    Dimensions of the tensor that ``order`` omits have size 1.
    """

    tensor: str
    shape: Shape
    order: Order

    @property
    def is_plain(self) -> bool:
        """Whether the tensor's dimensions come in ONNX's order."""
        known = [place for place in self.order if place is not None]
        return known == sorted(known)

    def transposed(self, permutation: Sequence[int]) -> View:
        """The value whose dimension d is this one's ``permutation[d]``."""
        shape = tuple(self.shape[d] for d in permutation)
        return View(self.tensor, shape, tuple(self.order[d] for d in permutation))

    def lifted(self, rank: int) -> View:
        """The value with as many dimensions of 1 before its own as make ``rank``."""
        missing = max(0, rank - len(self.shape))
        return View(self.tensor, (1,) * missing + self.shape, (None,) * missing + self.order)

    def reshaped(self, shape: Shape) -> View | None:
        """The value with dimensions of 1 put in or left out; None where others change."""
        sizes = [(size, place) for size, place in zip(self.shape, self.order, strict=True)]
        kept = [(size, place) for size, place in sizes if size != 1]
        if [size for size, _ in kept] != [size for size in shape if size != 1]:
            return None
        places = iter(place for _, place in kept)
        order = tuple(None if size == 1 else next(places) for size in shape)
        return View(self.tensor, shape, order)


def plain_view(tensor: str, shape: Shape) -> View:
    """A value that lies in its tensor as ONNX has it."""
    return View(tensor, shape, tuple(range(len(shape))))


def places_of(order: Order, rank: int) -> Order:
    """For each of a tensor's ``rank`` dimensions the ONNX dimension that lies there."""
    places: list[int | None] = [None] * rank
    for dimension, place in enumerate(order):
        if place is not None:
            places[place] = dimension
    return tuple(places)


def plain_places(rank: int) -> Order:
    """ONNX's own order."""
    return tuple(range(rank))


def channels_last_places(rank: int) -> Order:
    """(N, H, W, C) of (N, C, H, W); rows of samples (N, C, L) get height 1."""
    return (0, *[None] * (4 - rank), *range(2, rank), 1)


def stored_places(view: View, rank: int) -> Order:
    """The order a value is stored in.

    Dimensions of 1 that are not stored take the tensor's own that are free, or go to the end.
    """
    if view.is_plain:
        return plain_places(len(view.shape))
    missing = iter([d for d, place in enumerate(view.order) if place is None])
    places = [next(missing, None) if d is None else d for d in places_of(view.order, rank)]
    return (*places, *missing)


def axis_last_places(places: Order, axis: int) -> Order:
    """The same order, or ONNX's own, or one made for it, with ``axis`` last."""
    plain = plain_places(len([d for d in places if d is not None]))
    for candidate in (places, plain):
        if candidate[-1] == axis:
            return candidate
    return (*(d for d in plain if d != axis), axis)


@dataclass(frozen=True, slots=True)
class Rearrangement:
    """What brings a tensor into an order: a permutation if any, then a shape."""

    permutation: tuple[int, ...] | None
    shape: Shape


def rearrangement(view: View, stored: Shape, places: Order) -> Rearrangement:
    """Bring a value that lies in a tensor of shape ``stored`` into the order ``places``.

    Where only dimensions of 1 change their place, no element moves and there is no permutation.
    """
    wanted = [None if d is None else view.order[d] for d in places]
    shape = tuple(1 if d is None else view.shape[d] for d in places)
    moving = [place for place in wanted if place is not None and stored[place] != 1]
    if moving == sorted(moving):
        return Rearrangement(None, shape)
    unused = [place for place in range(len(stored)) if place not in wanted]
    if len(wanted) == len(stored):  # each gap takes one of the tensor's dimensions of 1
        spare = iter(unused)
        filled = tuple(next(spare) if place is None else place for place in wanted)
        return Rearrangement(filled, shape)
    known = [place for place in wanted if place is not None]
    return Rearrangement((*known, *unused), shape)
