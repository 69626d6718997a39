"""Lays buffers out in one arena, as close to the lower bound as a short search gets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml.ir.graph import Graph
from tinyml.ops.contract.c import Kernel
from tinyml.plan.lifetimes import Buffer, at_peak, find_buffers, lower_bound

# Kernels keep int32 sums in scratch and read four int8 at a time.
ALIGNMENT = 4

# Buffers placed before the search for a tighter layout gives up: about half a second.
SEARCH_BUDGET = 25_000


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where everything lies, in bytes from the start of the arena.

    ``tensors`` holds activations, ``scratch`` is keyed by operator name. ``lower_bound`` is the
    largest sum of bytes needed at one time.
    """

    tensors: Mapping[str, int]
    scratch: Mapping[str, int]
    buffers: tuple[Buffer, ...]
    arena_bytes: int
    lower_bound: int

    @property
    def ratio(self) -> float:
        """Arena over lower bound; 1.0 cannot be beaten."""
        return self.arena_bytes / self.lower_bound if self.lower_bound else 1.0


def plan_memory(graph: Graph, kernels: Mapping[str, Kernel]) -> MemoryPlan:
    """Place every activation and every operator's scratch; two needed at once never overlap."""
    buffers = find_buffers(graph, kernels)
    offsets = place(buffers)
    tensors, scratch = {}, {}
    for buffer, offset in zip(buffers, offsets, strict=True):
        tensors.update(dict.fromkeys(buffer.tensors, offset))
        if not buffer.tensors:
            scratch[graph.ops[buffer.first].name] = offset
    return MemoryPlan(
        tensors=tensors,
        scratch=scratch,
        buffers=buffers,
        arena_bytes=_arena_bytes(buffers, offsets),
        lower_bound=lower_bound(buffers),
    )


def place(buffers: Sequence[Buffer]) -> list[int]:
    """Offsets of the buffers, multiples of ALIGNMENT.

    First fit in several orders, the best improved by swapping neighbours of the order at random
    (seeded, so that the same model always gets the same plan) until no arena can be smaller or the
    budget is spent.
    """
    least = _least_bytes(buffers)
    best: list[int] = []
    best_bytes = None
    for order in _orders(buffers):
        offsets = _first_fit(buffers, order)
        used = _arena_bytes(buffers, offsets)
        if best_bytes is None or used < best_bytes:
            best, best_bytes = offsets, used
        if used <= least:
            break
    return best


def _least_bytes(buffers: Sequence[Buffer]) -> int:
    """The lower bound with aligned offsets: all but one of the buffers at the peak end aligned."""
    peak = at_peak(buffers)
    gaps = [_aligned(buffer.size) - buffer.size for buffer in peak]
    return sum(_aligned(buffer.size) for buffer in peak) - max(gaps, default=0)


def _orders(buffers: Sequence[Buffer]) -> Iterator[list[int]]:
    """Orders to try: by rules of thumb, then random changes of the ones before."""
    rules: tuple[Callable[[Buffer], tuple[int, ...]], ...] = (
        lambda b: (-b.size, b.first),
        lambda b: (b.first - b.last, -b.size),
        lambda b: (-b.size * (b.last - b.first + 1), b.first),
        lambda b: (b.first, -b.size),
        lambda b: (-b.last, -b.size),
    )
    orders = [sorted(range(len(buffers)), key=lambda i: rule(buffers[i])) for rule in rules]
    yield from orders
    shuffle = random.Random(0)  # noqa: S311  # reproducible, not secret
    for _ in range(SEARCH_BUDGET // max(1, len(buffers))):
        order = list(shuffle.choice(orders))
        for _ in range(shuffle.randint(1, 4)):
            i, j = shuffle.randrange(len(order)), shuffle.randrange(len(order))
            order.insert(i, order.pop(j))
        yield order


def _first_fit(buffers: Sequence[Buffer], order: Sequence[int]) -> list[int]:
    """Each buffer at the lowest offset that is free while it is needed.

    A column of ``placed`` is a start, an aligned end, a first and a last step, by rising starts;
    the outer two are the arena's floor and a ceiling out of reach, both there at every step.
    """
    offsets = [0] * len(buffers)
    steps = max((buffer.last for buffer in buffers), default=0)
    ceiling = sum(_aligned(buffer.size) for buffer in buffers)
    placed = np.zeros((4, len(buffers) + 2), np.int64)
    placed[:, 0] = 0, 0, 0, steps
    placed[:, 1] = ceiling, ceiling, 0, steps
    for count, index in enumerate(order, start=2):
        buffer = buffers[index]
        starts, ends, firsts, lasts = placed[:, :count]
        rivals = (firsts <= buffer.last) & (lasts >= buffer.first)
        below = np.maximum.accumulate(ends[rivals])[:-1]
        offset = int(below[np.argmax(starts[rivals][1:] - below >= buffer.size)])
        column = starts[1:].searchsorted(offset) + 1
        placed[:, column + 1 : count + 1] = placed[:, column:count]
        placed[:, column] = offset, _aligned(offset + buffer.size), buffer.first, buffer.last
        offsets[index] = offset
    return offsets


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _arena_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    ends = (offset + buffer.size for buffer, offset in zip(buffers, offsets, strict=True))
    return max(ends, default=0)
