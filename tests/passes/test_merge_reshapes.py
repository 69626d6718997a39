from dataclasses import replace

import pytest
from float_runs import assert_computes_the_same, kinds
from graphs import activation, make_graph, relu, reshape

from tinyml.ir.graph import Graph, QuantParams, Shape
from tinyml.passes.merge_reshapes import merge_reshapes


def reshaped(*shapes: Shape) -> Graph:
    """x (2, 6), reshaped to one shape after another, rectified to y."""
    names = ["x", *(f"r{number}" for number in range(len(shapes)))]
    tensors = [activation(n, s, None) for n, s in zip(names, [(2, 6), *shapes], strict=True)]
    tensors.append(activation("y", shapes[-1], None))
    ops = [reshape(names[i + 1], names[i], shape) for i, shape in enumerate(shapes)]
    return make_graph(tensors, [*ops, relu("y", names[-1])], ["x"], ["y"])


def test_a_reshape_of_a_reshape_reads_what_that_reads():
    graph = reshaped((3, 4), (4, 3), (12,))

    merged = merge_reshapes(graph)

    assert [(op.inputs, op.outputs) for op in merged.ops] == [(("x",), ("r2",)), (("r2",), ("y",))]
    assert_computes_the_same(graph, merged)


@pytest.mark.parametrize("shapes", [((2, 6),), ((3, 4), (2, 6))])
def test_a_reshape_to_the_same_shape_leaves_no_operator(shapes):
    graph = reshaped(*shapes)

    merged = merge_reshapes(graph)

    assert kinds(merged) == ["Relu"]
    assert merged.ops[0].inputs == ("x",)
    assert_computes_the_same(graph, merged)


def test_a_reshape_with_another_reader_stays_beside_the_merged_one():
    graph = reshaped((3, 4), (4, 3)).with_tensors(activation("z", (3, 4), None))
    graph = replace(graph, ops=(*graph.ops, relu("z", "r0")), outputs=("y", "z"))

    merged = merge_reshapes(graph)

    assert kinds(merged) == ["Reshape", "Reshape", "Relu", "Relu"]
    assert {op.inputs for op in merged.ops[:2]} == {("x",)}
    assert_computes_the_same(graph, merged)


def test_a_reshape_that_writes_an_output_stays():
    graph = make_graph(
        [activation("x", (2, 6), None), activation("y", (2, 6), None)],
        [reshape("y", "x", (2, 6))],
        ["x"],
        ["y"],
    )

    assert merge_reshapes(graph) == graph


def test_a_reshape_whose_output_has_scales_of_its_own_stays():
    graph = reshaped((3, 4), (2, 6))
    noted = replace(graph.tensor("r0"), quant=QuantParams.per_tensor(0.1, 0))
    graph = graph.with_tensors(noted)

    assert merge_reshapes(graph) == graph
