"""Lays buffers out in one arena, as close to the lower bound as a short search gets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyml.ir.graph import Graph
from tinyml.ops.base import Kernel
from tinyml.plan.lifetimes import Buffer, find_buffers, lower_bound

# Kernels keep int32 sums in scratch and read four int8 at a time.
ALIGNMENT = 4

# Pairs of buffers compared before the search for a tighter layout gives up: about a second.
SEARCH_BUDGET = 1_000_000

# More orders than these are not tried: seven buffers have 5,040 in all.
MOST_ORDERS = 10_000


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
    (seeded, so that the same model always gets the same plan) until the bound is met or the budget
    is spent.
    """
    bound = lower_bound(buffers)
    best: list[int] = []
    best_bytes = None
    for order in _orders(buffers):
        offsets = _first_fit(buffers, order)
        used = _arena_bytes(buffers, offsets)
        if best_bytes is None or used < best_bytes:
            best, best_bytes = offsets, used
        if used <= bound:
            break
    return best


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
    for _ in range(min(MOST_ORDERS, SEARCH_BUDGET // max(1, len(buffers) ** 2))):
        order = list(shuffle.choice(orders))
        for _ in range(shuffle.randint(1, 4)):
            i, j = shuffle.randrange(len(order)), shuffle.randrange(len(order))
            order.insert(i, order.pop(j))
        yield order


def _first_fit(buffers: Sequence[Buffer], order: Sequence[int]) -> list[int]:
    """Each buffer at the lowest offset that is free while it is needed."""
    offsets = [0] * len(buffers)
    placed: list[int] = []
    for index in order:
        buffer = buffers[index]
        taken = sorted(
            (offsets[other], offsets[other] + buffers[other].size)
            for other in placed
            if buffer.overlaps(buffers[other])
        )
        offset = 0
        for start, end in taken:
            if offset + buffer.size <= start:
                break
            offset = max(offset, _aligned(end))
        offsets[index] = offset
        placed.append(index)
    return offsets


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def _arena_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    ends = (offset + buffer.size for buffer, offset in zip(buffers, offsets, strict=True))
    return max(ends, default=0)
