import itertools
import random
import time

import numpy as np
import pytest
from graphs import activation, add, make_graph, relu, small_int8
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml.ops.contract.c import Isa, Kernel
from tinyml.ops.contract.target import Target
from tinyml.plan import arena
from tinyml.plan.arena import ALIGNMENT, place, plan_memory
from tinyml.plan.lifetimes import Buffer, lower_bound
from tinyml.plan.plan import make_plan


@pytest.fixture(autouse=True, scope="module")
def _short_search():
    """What is tested here holds after the first order as after the last."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "SEARCH_BUDGET", 300)
        yield


@st.composite
def buffer_lists(draw, most=12) -> list[Buffer]:
    buffers = []
    for index in range(draw(st.integers(1, most))):
        first = draw(st.integers(0, 9))
        last = draw(st.integers(first, 10))
        buffers.append(Buffer((str(index),), draw(st.integers(1, 60)), first, last))
    return buffers


def arena_of(buffers, offsets) -> int:
    return max(offset + buffer.size for buffer, offset in zip(buffers, offsets, strict=True))


def overlap(one, other) -> bool:
    """Whether both are needed at some step."""
    return one.first <= other.last and other.first <= one.last


@given(buffer_lists())
def test_two_live_buffers_never_overlap(buffers):
    offsets = place(buffers)

    for i, j in itertools.combinations(range(len(buffers)), 2):
        if overlap(buffers[i], buffers[j]):
            apart = (
                offsets[i] + buffers[i].size <= offsets[j]
                or offsets[j] + buffers[j].size <= offsets[i]
            )
            assert apart, (buffers[i], offsets[i], buffers[j], offsets[j])


@given(buffer_lists())
def test_the_arena_is_never_below_the_bound_nor_above_the_sum(buffers):
    used = arena_of(buffers, place(buffers))

    assert lower_bound(buffers) <= used <= sum(buffer.size + ALIGNMENT for buffer in buffers)


@given(buffer_lists())
def test_every_offset_is_aligned(buffers):
    assert all(offset >= 0 and offset % ALIGNMENT == 0 for offset in place(buffers))


@given(buffer_lists())
@settings(max_examples=30)
def test_the_same_buffers_get_the_same_offsets(buffers):
    first = place(buffers)
    random.seed(len(buffers))  # the planner's own generator is not this one

    assert place(buffers) == first


@given(buffer_lists(most=5))
@settings(max_examples=50)
def test_few_buffers_get_the_best_arena_there_is(buffers):
    """First fit in the best order is optimal; so few buffers have few orders."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arena, "SEARCH_BUDGET", 10_000)
        used = arena_of(buffers, place(buffers))

    best = min(
        arena_of(buffers, first_fit(buffers, order))
        for order in itertools.permutations(range(len(buffers)))
    )
    assert used == best


def first_fit(buffers, order) -> list[int]:
    """The same idea written in the plainest way: try every aligned offset."""
    offsets = {}
    for index in order:
        rivals = [other for other in offsets if overlap(buffers[index], buffers[other])]
        offset = 0
        while any(
            offset < offsets[other] + buffers[other].size
            and offsets[other] < offset + buffers[index].size
            for other in rivals
        ):
            offset += ALIGNMENT
        offsets[index] = offset
    return [offsets[index] for index in range(len(buffers))]


def test_the_search_ends_where_alignment_alone_keeps_the_arena_above_its_bound(monkeypatch):
    orders = []
    tried = arena._first_fit
    monkeypatch.setattr(arena, "_first_fit", lambda *args: orders.append(1) or tried(*args))
    buffers = [Buffer((str(size),), size, 0, 0) for size in (5, 6, 7)]

    used = arena_of(buffers, place(buffers))

    assert (lower_bound(buffers), used, len(orders)) == (18, 8 + 8 + 5, 1)


def test_thousands_of_operators_are_planned_in_seconds():
    """Some 2 s on one core, and minutes where every buffer is compared with every other."""
    rng = np.random.default_rng(1)
    lengths = rng.choice([1, 1, 2, 3, 30], 8000)
    lives = [(step, step + int(length)) for step, length in enumerate(lengths)]
    held = [(0, int(last)) for last in rng.integers(0, 8000, 2000)]
    sizes = rng.integers(1, 4000, 10_000)
    buffers = [Buffer((), int(n), *life) for n, life in zip(sizes, lives + held, strict=True)]
    started = time.process_time()

    place(buffers)

    assert time.process_time() - started < 20


def test_no_buffers_need_no_memory():
    assert place([]) == []


def test_a_buffer_of_no_bytes_is_placed():
    assert place([Buffer(("a",), 0, 0, 1), Buffer(("b",), 8, 0, 1)]) in ([0, 0], [8, 0])


def test_scratch_is_placed_beside_the_tensors_of_its_operator_only():
    tensors = [activation(name, (1, 8)) for name in "xyz"]
    graph = make_graph(tensors, [relu("y", "x"), relu("z", "y")], ["x"], ["z"])
    kernels = {"y": Kernel(scratch_bytes=24), "z": Kernel()}

    plan = plan_memory(graph, kernels)

    assert set(plan.scratch) == {"y"}
    assert plan.arena_bytes == plan.lower_bound == 8 + 8 + 24
    assert abs(plan.tensors["x"] - plan.tensors["y"]) >= 8


def test_the_small_network_is_planned_at_its_bound():
    graph = small_int8()

    plan = make_plan(graph, Target(cmsis_nn=5)).memory

    assert plan.ratio == 1.0
    assert set(plan.tensors) == {t.name for t in graph.tensors.values() if not t.is_constant}


@pytest.mark.parametrize("isa", Isa)
def test_a_plan_for_one_core_is_no_larger_than_for_all(isa):
    graph = small_int8()

    one = make_plan(graph, Target(isas=frozenset([isa]), cmsis_nn=5))

    assert one.memory.arena_bytes <= make_plan(graph, Target(cmsis_nn=5)).memory.arena_bytes


def test_a_graph_that_computes_nothing_has_ratio_one():
    assert plan_memory(make_graph([], [], [], []), {}).ratio == 1.0


def test_outputs_written_over_inputs_share_their_offset():
    tensors = [activation(name, (1, 8)) for name in "xyz"]
    graph = make_graph(tensors, [relu("y", "x"), add("z", "y", "y")], ["x"], ["z"])

    plan = make_plan(graph, Target(cmsis_nn=5)).memory

    assert plan.arena_bytes == 8
    assert set(plan.tensors.values()) == {0}
