import pytest
from graphs import activation, add, float_constant, make_graph, relu, reshape
from hypothesis import given
from hypothesis import strategies as st

from tinyml.errors import ModelError
from tinyml.ops.contract.c import Kernel
from tinyml.ops.contract.target import Target
from tinyml.plan.choose import choose_kernels
from tinyml.plan.lifetimes import Buffer, find_buffers, lower_bound

PLAIN = Kernel()
ALIAS = Kernel(alias=True)


def graph_of(ops, inputs, outputs, **shapes):
    """A graph whose tensors are (1, 4) where ``shapes`` does not say otherwise."""
    names = dict.fromkeys([*inputs, *(name for op in ops for name in (*op.inputs, *op.outputs))])
    tensors = [activation(name, shapes.get(name, (1, 4))) for name in names]
    return make_graph(tensors, ops, inputs, outputs)


def lifetimes(buffers) -> dict[tuple[str, ...], tuple[int, int]]:
    return {buffer.tensors: (buffer.first, buffer.last) for buffer in buffers}


def plain(graph, **special):
    return {op.name: special.get(op.name, PLAIN) for op in graph.ops}


def test_a_tensor_lives_from_its_writer_to_its_last_reader():
    graph = graph_of([relu("a", "x"), relu("b", "a"), add("c", "b", "a")], ["x"], ["c"])

    found = lifetimes(find_buffers(graph, plain(graph)))

    assert found == {("x",): (0, 0), ("a",): (0, 2), ("b",): (1, 2), ("c",): (2, 3)}


def test_inputs_live_from_the_start_even_where_they_are_read_late():
    graph = graph_of([relu("a", "x"), relu("b", "a"), add("c", "b", "late")], ["x", "late"], ["c"])

    assert lifetimes(find_buffers(graph, plain(graph)))["late",] == (0, 2)


def test_an_input_that_nothing_reads_still_has_its_bytes_at_the_start():
    graph = graph_of([relu("a", "x")], ["x", "idle"], ["a"])

    assert lifetimes(find_buffers(graph, plain(graph)))["idle",] == (0, 0)


def test_outputs_live_to_the_end_even_where_they_are_written_early():
    graph = graph_of([relu("early", "x"), relu("b", "x"), relu("c", "b")], ["x"], ["c", "early"])

    assert lifetimes(find_buffers(graph, plain(graph)))["early",] == (0, 3)


def test_an_output_nothing_reads_lives_while_its_operator_writes_it():
    graph = graph_of([relu("waste", "x"), relu("y", "x")], ["x"], ["y"])

    assert lifetimes(find_buffers(graph, plain(graph)))["waste",] == (0, 0)


def test_constants_take_no_memory():
    tensors = [activation("x", (1, 4)), float_constant("c", [1, 2, 3, 4]), activation("y", (1, 4))]
    graph = make_graph(tensors, [add("y", "x", "c")], ["x"], ["y"])

    assert {name for b in find_buffers(graph, plain(graph)) for name in b.tensors} == {"x", "y"}


def test_scratch_lives_for_one_operator():
    graph = graph_of([relu("a", "x"), relu("b", "a")], ["x"], ["b"])

    buffers = find_buffers(graph, plain(graph, b=Kernel(scratch_bytes=12)))

    assert buffers[-1] == Buffer((), 12, 1, 1)


def test_an_alias_shares_its_inputs_bytes_for_both_lives():
    ops = [relu("a", "x"), reshape("b", "a", (4, 1)), relu("c", "b")]
    graph = graph_of(ops, ["x"], ["c"], b=(4, 1))

    assert lifetimes(find_buffers(graph, plain(graph, b=ALIAS)))["a", "b"] == (0, 2)


def test_a_chain_of_aliases_is_one_buffer():
    ops = [
        reshape("a", "x", (4, 1)),
        reshape("b", "a", (2, 2)),
        reshape("c", "b", (1, 4)),
    ]
    graph = graph_of(ops, ["x"], ["c"], a=(4, 1), b=(2, 2))
    kernels = plain(graph, a=ALIAS, b=ALIAS, c=ALIAS)

    assert lifetimes(find_buffers(graph, kernels)) == {("x", "a", "b", "c"): (0, 3)}


def test_two_views_of_one_tensor_are_one_buffer():
    ops = [reshape("a", "x", (4, 1)), reshape("b", "x", (2, 2)), relu("c", "a"), relu("d", "b")]
    graph = graph_of(ops, ["x"], ["c", "d"], a=(4, 1), b=(2, 2))

    buffers = lifetimes(find_buffers(graph, plain(graph, a=ALIAS, b=ALIAS)))

    assert buffers["x", "a", "b"] == (0, 3)


def overwriting(graph):
    return {op.name: Kernel(may_overwrite=op.inputs) for op in graph.ops}


def test_an_output_is_written_over_an_input_that_dies_there():
    graph = graph_of([relu("a", "x"), relu("b", "a")], ["x"], ["b"])

    assert lifetimes(find_buffers(graph, overwriting(graph))) == {("x", "a", "b"): (0, 2)}


def test_an_output_is_not_written_over_an_input_that_is_read_later():
    graph = graph_of([relu("a", "x"), add("b", "a", "x")], ["x"], ["b"])

    buffers = lifetimes(find_buffers(graph, overwriting(graph)))

    assert ("x",) in buffers or ("x", "b") in buffers
    assert not any({"x", "a"} <= set(names) for names in buffers)


def test_an_output_is_not_written_over_an_input_whose_alias_is_read_later():
    ops = [reshape("view", "x", (4, 1)), relu("a", "x"), relu("b", "view"), add("c", "a", "a")]
    graph = graph_of(ops, ["x"], ["b", "c"], view=(4, 1))

    buffers = lifetimes(find_buffers(graph, {**overwriting(graph), "view": ALIAS}))

    assert not any({"x", "a"} <= set(names) for names in buffers)


def test_an_output_of_the_graph_is_not_written_over():
    graph = graph_of([relu("a", "x"), relu("b", "a")], ["x"], ["a", "b"])

    buffers = lifetimes(find_buffers(graph, overwriting(graph)))

    assert not any({"a", "b"} <= set(names) for names in buffers)


def test_an_input_that_is_an_output_too_is_not_written_over():
    graph = graph_of([relu("a", "x")], ["x"], ["x", "a"])

    assert lifetimes(find_buffers(graph, overwriting(graph))) == {("x",): (0, 1), ("a",): (0, 1)}


def test_an_output_is_not_written_over_a_constant():
    tensors = [float_constant("c", [1.0]), activation("y", (1,))]
    graph = make_graph(tensors, [relu("y", "c")], [], ["y"])

    assert lifetimes(find_buffers(graph, overwriting(graph))) == {("y",): (0, 1)}


def test_an_output_of_another_size_is_not_written_over_its_input():
    graph = graph_of([relu("y", "x")], ["x"], ["y"], y=(1, 5))

    assert len(find_buffers(graph, overwriting(graph))) == 2


def test_only_one_of_two_dying_inputs_is_written_over():
    graph = graph_of([add("y", "a", "b")], ["a", "b"], ["y"])

    assert lifetimes(find_buffers(graph, overwriting(graph))) == {
        ("a", "y"): (0, 1),
        ("b",): (0, 0),
    }


def test_the_second_input_is_written_over_where_the_first_lives_on():
    graph = graph_of([add("y", "a", "b"), add("z", "y", "a")], ["a", "b"], ["z"])

    assert any({"b", "y"} <= set(b.tensors) for b in find_buffers(graph, overwriting(graph)))


def test_a_view_of_a_constant_is_refused_by_name():
    tensors = [float_constant("c", [1.0, 2.0]), activation("y", (2, 1), None)]
    graph = make_graph(tensors, [reshape("y", "c", (2, 1))], [], ["y"])

    with pytest.raises(ModelError, match="RESHAPE 'y': input 'c' is a constant"):
        choose_kernels(graph, Target(cmsis_nn=5))


buffers = st.builds(
    lambda size, first, length: Buffer((), size, first, first + length),
    st.integers(0, 50),
    st.integers(0, 6),
    st.integers(0, 4),
)


@given(st.lists(buffers, max_size=10))
def test_the_lower_bound_is_the_most_bytes_alive_at_any_step(held):
    alive = [sum(b.size for b in held if b.first <= step <= b.last) for step in range(12)]

    assert lower_bound(held) == max(alive)
