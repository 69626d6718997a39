"""Operators of one class are called by their own names."""

import pytest
from graphs import activation, make_graph, relu

from tinyml.errors import ModelError
from tinyml.frontend.partial import read_operator
from tinyml.ir.graph import DType, Tensor
from tinyml.ir.verify import verify_float
from tinyml.ops.arg_extremum import ArgExtremum
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation


@pytest.mark.parametrize("relation", Relation)
def test_a_comparison_is_refused_by_the_name_of_its_relation(relation):
    tensors = [Tensor(name, (1, 4), DType.INT64) for name in "ab"]
    tensors.append(Tensor("y", (1, 4), DType.BOOL))
    op = Comparison(name="y", inputs=("a", "b"), outputs=("y",), relation=relation)

    with pytest.raises(ModelError, match=f"^{relation.name} 'y': input 'a' is int64, expected"):
        verify_float(make_graph(tensors, [op], ["a", "b"], ["y"]))


def test_what_is_shown_of_an_operator_is_its_own_name():
    graph = make_graph([activation(name, (1, 4)) for name in "xy"], [], ["x"], ["y"])
    smallest = ArgExtremum(
        name="y", inputs=("x",), outputs=("y",), largest=False, axis=1, dtype=DType.INT32
    )

    assert read_operator(relu("y", "x", Activation.RELU6), graph).kind == "RELU6"
    assert read_operator(smallest, graph).kind == "ARG_MIN"
