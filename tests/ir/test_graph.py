import dataclasses

import numpy as np
import pytest
from graphs import activation, add, float_constant, make_graph, relu, small_int8

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, QuantParams, Tensor


def diamond():
    """x -> a, b -> sum."""
    tensors = [activation(name, (1, 2)) for name in ("x", "a", "b", "sum", "stray")]
    ops = [relu("a", "x"), relu("b", "x"), add("sum", "a", "b")]
    return make_graph(tensors, ops, ["x"], ["sum"])


def test_scales_are_rounded_to_float32():
    assert QuantParams.per_tensor(0.1, 0).scale == (float(np.float32(0.1)),)


def test_quantization_parameters_with_equal_values_are_equal_and_hash_alike():
    one, other = QuantParams.per_tensor(0.1, 3), QuantParams.per_tensor(float(np.float32(0.1)), 3)

    assert one == other
    assert hash(one) == hash(other)


def test_a_constant_cannot_be_changed():
    tensor = float_constant("c", [1.0, 2.0])

    with pytest.raises(ValueError, match="read-only"):
        tensor.constant[0] = 5


def test_the_array_a_constant_was_made_of_stays_writable():
    data = np.zeros(2, np.float32)
    Tensor("c", (2,), DType.FLOAT32, data=data)

    data[0] = 1

    assert data[0] == 1


def test_tensors_compare_their_constant_values():
    assert float_constant("c", [1, 2]) == float_constant("c", [1, 2])
    assert float_constant("c", [1, 2]) != float_constant("c", [1, 3])
    assert float_constant("c", [1, 2]) != Tensor("c", (2,), DType.FLOAT32)


def test_bytes_are_elements_times_their_size():
    assert Tensor("t", (2, 3, 4), DType.INT32).nbytes == 96
    assert Tensor("scalar", (), DType.INT8).nbytes == 1


def test_a_tensor_with_scales_per_channel_has_no_single_scale():
    quant = QuantParams((0.1, 0.2), (0, 0), 0)

    with pytest.raises(ModelError, match="'w', int8, has no per-tensor quantization"):
        _ = Tensor("w", (2,), DType.INT8, quant).scale


def test_an_activation_has_no_constant_value():
    with pytest.raises(ValueError, match="'a' is not a constant"):
        _ = activation("a", (1,)).constant


def test_a_graph_cannot_be_changed():
    graph = diamond()

    with pytest.raises(dataclasses.FrozenInstanceError):
        graph.name = "other"
    with pytest.raises(TypeError):
        graph.tensors["x"] = activation("x", (9,))


def test_consumers_are_in_schedule_order_and_producers_are_found_by_output():
    graph = diamond()

    assert [op.name for op in graph.consumers["x"]] == ["a", "b"]
    assert graph.consumers["sum"] == ()
    assert graph.producers["sum"].name == "sum"


def test_an_operator_that_reads_a_tensor_twice_consumes_it_once():
    tensors = [activation("x", (1,)), activation("y", (1,))]
    graph = make_graph(tensors, [add("y", "x", "x")], ["x"], ["y"])

    assert len(graph.consumers["x"]) == 1


def test_the_only_reader_of_a_tensor_is_the_one_operator_that_takes_it_and_not_the_caller():
    graph = diamond()
    exposed = dataclasses.replace(graph, outputs=("sum", "a"))

    assert graph.only_reader("a").name == "sum"
    assert graph.only_reader("x") is None
    assert graph.only_reader("sum") is None
    assert exposed.only_reader("a") is None


def test_pruning_takes_away_only_what_nothing_refers_to():
    assert list(diamond().pruned().tensors) == ["x", "a", "b", "sum"]


def test_replacing_a_tensor_keeps_its_place_and_leaves_the_old_graph_alone():
    graph = small_int8()

    changed = graph.with_tensors(activation("sum", (1, 6, 6, 4), 0.5))

    assert list(changed.tensors) == list(graph.tensors)
    assert changed.tensor("sum").scale == 0.5
    assert graph.tensor("sum").scale != 0.5
