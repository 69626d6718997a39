from graphs import activation, add, branches_int8, dequantize, make_graph, quantize, relu

from tinyml.ir.verify import verify_quantized
from tinyml.passes.strip_edges import strip_edges


def edged(inputs, outputs, *ops):
    """A graph whose tensors are int8, but float32 where their name starts with 'f'."""
    names = dict.fromkeys(name for op in ops for name in (*op.inputs, *op.outputs))
    tensors = [activation(n, (1, 2), None if n.startswith("f") else 0.1) for n in names]
    graph = make_graph(tensors, ops, inputs, outputs)
    verify_quantized(graph)
    return graph


def test_conversions_at_the_edges_go_and_their_tensors_become_the_boundary():
    graph = edged(
        ["f_in"], ["f_out"], quantize("x", "f_in"), relu("y", "x"), dequantize("f_out", "y")
    )

    stripped = strip_edges(graph)

    assert [op.name for op in stripped.ops] == ["y"]
    assert (stripped.inputs, stripped.outputs) == (("x",), ("y",))
    assert list(stripped.tensors) == ["x", "y"]


def test_a_graph_without_float_edges_stays_as_it_is():
    graph = edged(["x"], ["y"], relu("y", "x"))

    assert strip_edges(graph) == graph


def test_a_model_that_only_converts_hands_its_input_on():
    stripped = strip_edges(
        edged(["f_in"], ["f_out"], quantize("x", "f_in"), dequantize("f_out", "x"))
    )

    assert (stripped.inputs, stripped.ops, stripped.outputs) == (("x",), (), ("x",))


def test_each_of_several_inputs_keeps_its_place():
    graph = edged(
        ["a", "f_b", "c"],
        ["z"],
        quantize("b", "f_b"),
        add("y", "a", "b"),
        add("z", "y", "c"),
    )

    assert strip_edges(graph).inputs == ("a", "b", "c")


def test_an_output_that_is_also_read_inside_stays_int8_for_both():
    graph = edged(["x"], ["f_y", "z"], relu("y", "x"), dequantize("f_y", "y"), relu("z", "y"))

    stripped = strip_edges(graph)

    assert stripped.outputs == ("y", "z")
    assert [op.name for op in stripped.ops] == ["y", "z"]


def test_a_requantization_between_int8_tensors_is_no_edge():
    graph = edged(["x"], ["y"], quantize("y", "x"))

    assert strip_edges(graph) == graph


def test_a_float_input_quantized_in_two_ways_is_left_alone():
    graph = edged(["f"], ["y"], quantize("a", "f"), quantize("b", "f"), add("y", "a", "b"))

    assert strip_edges(graph) == graph


def test_a_float_input_that_is_an_output_too_is_left_alone():
    graph = edged(["f"], ["f", "y"], quantize("x", "f"), relu("y", "x"))

    assert strip_edges(graph) == graph


def test_only_the_float_edge_of_a_graph_with_both_kinds_goes():
    stripped = strip_edges(branches_int8())

    assert stripped.inputs == ("a/q", "b")
    assert stripped.outputs == ("fc", "rectified")
