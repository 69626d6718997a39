"""From when to when each piece of memory holds something that is still needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tinyml.ir.graph import Graph, Op
from tinyml.ops.contract.c import Kernel


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes that must stay put from operator ``first`` to operator ``last``, both included.

    ``tensors`` share the bytes: aliases, and outputs written over inputs. A buffer without tensors
    is the scratch of operator ``first``.
    """

    tensors: tuple[str, ...]
    size: int
    first: int
    last: int


def find_buffers(graph: Graph, kernels: Mapping[str, Kernel]) -> tuple[Buffer, ...]:
    """Buffers of all activations and of all scratch.

    Inputs are needed from the start, where the caller writes them, outputs to the end.
    """
    groups = _Groups(graph)
    for op in graph.ops:
        if kernels[op.name].alias:
            groups.merge(op.inputs[0], op.outputs[0])
    for step, op in enumerate(graph.ops):
        _overwrite_an_input(graph, groups, step, op, kernels[op.name])
    scratch = (
        Buffer((), kernels[op.name].scratch_bytes, step, step)
        for step, op in enumerate(graph.ops)
        if kernels[op.name].scratch_bytes
    )
    return (*groups.buffers(), *scratch)


def at_peak(buffers: Sequence[Buffer]) -> list[Buffer]:
    """Buffers needed at the step where their sizes add up to most."""
    change: Counter[int] = Counter()
    for buffer in buffers:
        change[buffer.first] += buffer.size
        change[buffer.last + 1] -= buffer.size
    steps = sorted(change)
    held = zip(steps, accumulate(change[step] for step in steps), strict=True)
    peak, _ = max(held, key=lambda step_and_bytes: step_and_bytes[1], default=(0, 0))
    return [buffer for buffer in buffers if buffer.first <= peak <= buffer.last]


def lower_bound(buffers: Sequence[Buffer]) -> int:
    """Largest sum of bytes needed at one time: no arena can be smaller."""
    return sum(buffer.size for buffer in at_peak(buffers))


def _overwrite_an_input(graph: Graph, groups: _Groups, step: int, op: Op, kernel: Kernel) -> None:
    """Give the output the memory of an input that nothing reads afterwards."""
    for name in kernel.may_overwrite:
        output = op.outputs[0]
        if not groups.holds(name) or groups.last(name) != step:
            continue
        if groups.size(name) == graph.tensor(output).nbytes:
            groups.merge(name, output)
            return


class _Groups:
    """Tensors that share memory, as a union-find over their names."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        # Constants are in flash, and state has memory of its own.
        self._parent = {
            tensor.name: tensor.name
            for tensor in graph.tensors.values()
            if not tensor.is_constant and tensor.name not in graph.state_names
        }
        self._first = dict.fromkeys(self._parent, 0)
        self._last = dict.fromkeys(self._parent, 0)
        for step, op in enumerate(graph.ops):
            for name in op.outputs:
                self._first[name] = self._last[name] = step
            for name in op.present_inputs:
                if name in self._parent:
                    self._last[name] = step
        for name in graph.outputs:
            self._last[name] = len(graph.ops)

    def holds(self, name: str) -> bool:
        return name in self._parent

    def _root(self, name: str) -> str:
        while self._parent[name] != name:
            name = self._parent[name]
        return name

    def merge(self, kept: str, joined: str) -> None:
        root, other = self._root(kept), self._root(joined)
        if root == other:
            return
        self._parent[other] = root
        self._first[root] = min(self._first[root], self._first[other])
        self._last[root] = max(self._last[root], self._last[other])

    def last(self, name: str) -> int:
        return self._last[self._root(name)]

    def size(self, name: str) -> int:
        return self._graph.tensor(name).nbytes

    def buffers(self) -> Iterable[Buffer]:
        members: dict[str, list[str]] = {}
        for name in self._parent:
            members.setdefault(self._root(name), []).append(name)
        for root, names in members.items():
            size = max(self.size(name) for name in names)
            yield Buffer(tuple(names), size, self._first[root], self._last[root])
