import numpy as np
import pytest
from graphs import activation, add, float_constant, make_graph, relu, small_float, spread
from stateful import float_echo

from tinyml.errors import InputError
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax, ObserverKind, observer_factory


def images(count: int) -> np.ndarray:
    return np.stack([spread((1, 6, 6, 2), seed) for seed in range(count)]).astype(np.float32) / 127


def test_every_activation_gets_the_range_of_its_real_values():
    tensors = [activation(name, (1, 3), None) for name in ("x", "doubled", "positive")]
    ops = [add("doubled", "x", "x"), relu("positive", "doubled")]
    graph = make_graph(tensors, ops, ["x"], ["positive"])
    x = np.array([[[-1.0, 0.5, 2.0]], [[-3.0, 0.0, 1.0]]], np.float32)

    table = calibrate(graph, [x], MinMax)

    assert table.samples == 2
    assert table.ranges == {"x": (-3.0, 2.0), "doubled": (-6.0, 4.0), "positive": (0.0, 4.0)}


def test_constants_are_not_observed():
    graph = small_float()

    table = calibrate(graph, [images(2)], MinMax)

    assert set(table.ranges) == {t.name for t in graph.tensors.values() if not t.is_constant}


def test_what_a_graph_keeps_is_observed_where_it_is_read():
    steps = np.array([[[0, 1, 2, 3]], [[-9, 4, 5, 6]], [[7, 8, 9, 10]]], np.float32)

    table = calibrate(float_echo(), [steps], MinMax)

    assert table.ranges == {"x": (-9.0, 10.0), "y": (-9.0, 127.0)}  # FIRST, and two steps late


def test_each_input_takes_its_own_samples():
    tensors = [activation(name, (1, 2), None) for name in ("a", "b", "sum")]
    graph = make_graph(tensors, [add("sum", "a", "b")], ["a", "b"], ["sum"])
    a, b = np.full((3, 1, 2), 1.0, np.float32), np.full((3, 1, 2), 10.0, np.float32)

    table = calibrate(graph, [a, b], MinMax)

    assert table.ranges == {"a": (1.0, 1.0), "b": (10.0, 10.0), "sum": (11.0, 11.0)}


def test_progress_is_told_after_every_sample():
    done = []

    calibrate(small_float(), [images(3)], MinMax, done.append)

    assert done == [1, 2, 3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_data_that_is_no_number_is_refused_with_the_tensors_name(value):
    x = images(2)
    x[1, 0, 3, 3, 1] = value

    with pytest.raises(InputError, match=r"'image' holds .* in sample 1 .* expected finite"):
        calibrate(small_float(), [x], MinMax)


def test_a_tensor_that_the_model_itself_makes_no_number_is_named():
    tensors = [
        activation("x", (1, 1), None),
        float_constant("broken", [[np.nan]]),
        activation("sum", (1, 1), None),
    ]
    graph = make_graph(tensors, [add("sum", "x", "broken")], ["x"], ["sum"])

    with pytest.raises(InputError, match="'sum' becomes infinite"):
        calibrate(graph, [np.ones((1, 1, 1), np.float32)], MinMax)


def test_after_refused_data_the_next_calibration_works():
    x = images(3)
    x[0] = np.nan
    with pytest.raises(InputError):
        calibrate(small_float(), [x], MinMax)

    assert calibrate(small_float(), [images(1)], MinMax).samples == 1


@pytest.mark.parametrize("kind", ObserverKind)
def test_the_same_data_gives_the_same_ranges(kind):
    make = observer_factory(kind)

    first = calibrate(small_float(), [images(4)], make)

    assert calibrate(small_float(), [images(4)], make) == first
