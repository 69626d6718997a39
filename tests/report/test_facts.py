"""What ``tinyml inspect`` knows of a model."""

from dataclasses import replace

import pytest
from graphs import activation, branches_int8, make_graph, quantize, relu, small_float, small_int8

from tinyml.ops.relu import Relu
from tinyml.report.facts import describe_model


def test_macs_and_weights_add_up_over_the_layers():
    facts = describe_model(small_int8())

    assert facts.macs == sum(layer.macs for layer in facts.layers)
    assert facts.weight_bytes == sum(layer.weight_bytes for layer in facts.layers)
    assert facts.macs == 36 * 4 * 18 + 36 * 4 * 9 + 4 * 3


def test_float_and_int8_have_the_same_layers_and_macs():
    int8, floats = describe_model(small_int8()), describe_model(small_float())

    assert (int8.precision, floats.precision) == ("int8", "float32")
    assert [layer.operator for layer in int8.layers] == [layer.operator for layer in floats.layers]
    assert int8.macs == floats.macs
    assert floats.plans == int8.plans


def test_every_class_of_core_has_a_plan_not_below_its_bound():
    plans = describe_model(small_int8()).plans

    assert [plan.isa for plan in plans] == ["scalar", "dsp", "mve"]
    assert all(plan.arena_bytes >= plan.lower_bound > 0 for plan in plans)


def test_float_edges_are_shown_as_the_file_has_them():
    facts = describe_model(branches_int8())

    assert facts.inputs[0].startswith("'a' float32 (1, 2, 3)")
    assert facts.layers[0].operator == "QUANTIZE"


@pytest.mark.parametrize("graph", [small_int8(), small_float()])
def test_facts_are_plain_values(graph):
    facts = describe_model(graph)

    plain = facts.to_json()
    assert plain["layers"][0]["name"] == facts.layers[0].name
    assert plain["name"] == "small"


def test_a_model_the_device_cannot_run_is_shown_with_the_reason():
    tensors = [activation("x", (1, 4)), activation("y", (1, 4), None), activation("z", (1, 4))]
    graph = make_graph(tensors, [relu("y", "x"), quantize("z", "y")], ["x"], ["z"])
    assert isinstance(graph.ops[0], Relu)

    facts = describe_model(replace(graph, name="mixed"))

    assert facts.plans == ()
    (refused,) = facts.unsupported
    assert (refused.number, refused.operator, facts.supported) == (1, "RELU", False)
