import numpy as np
from graphs import (
    CONVERTER_NAME,
    activation,
    float_constant,
    fully_connected,
    make_graph,
    reshape,
    small_int8,
)

from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, QuantParams, Tensor
from tinyml.ir.text import format_graph


def line_of(text: str, start: str) -> str:
    return next(line.strip() for line in text.splitlines() if line.strip().startswith(start))


def test_equal_graphs_give_equal_text():
    graph = small_int8()

    assert format_graph(read_tflite(write_tflite(graph), "small")) == format_graph(graph)


def test_a_changed_weight_changes_the_text():
    graph = small_int8()
    weights = graph.tensor("fc/w")
    data = weights.constant.copy()
    data[2, 3] += 1
    changed = Tensor(weights.name, weights.shape, weights.dtype, weights.quant, data)

    assert format_graph(graph.with_tensors(changed)) != format_graph(graph)


def test_long_converter_names_stay_exact():
    text = format_graph(small_int8())

    assert line_of(text, "2. Conv2D") == f"2. Conv2D '{CONVERTER_NAME}'"


def test_a_tensor_is_one_line_of_dtype_shape_scale_and_zero_point():
    text = format_graph(make_graph([activation("a", (1, 2), 0.1, -3)], [], ["a"], ["a"]))

    assert line_of(text, "'a'") == "'a': int8 (1, 2), scale 0.100000001, zero point -3"


def test_a_constant_is_its_size_and_a_hash():
    text = format_graph(make_graph([float_constant("c", [1, 2])], [], [], ["c"]))

    assert line_of(text, "'c'") == "'c': float32 (2,), constant of 8 bytes, sha256 b9c80b5a"


def test_many_scales_are_a_range_and_a_hash():
    quant = QuantParams(tuple(0.5 + channel for channel in range(9)), (0,) * 9, 0)
    data = np.zeros((9, 1), np.int8)
    text = format_graph(make_graph([Tensor("w", (9, 1), DType.INT8, quant, data)], [], [], ["w"]))

    assert "scale 9 from 0.5 to 8.5 (sha256 " in line_of(text, "'w'")


def test_names_that_hold_line_breaks_stay_on_one_line():
    graph = make_graph([activation("a\nb", (1,))], [], ["a\nb"], ["a\nb"])

    assert line_of(format_graph(graph), "inputs:") == r"inputs: 'a\nb'"


def test_an_absent_optional_input_is_named_absent():
    tensors = [activation("x", (1, 2)), activation("y", (1, 2)), activation("z", (1, 2))]
    graph = make_graph(tensors, [fully_connected("y", "x", "z", "")], ["x"], ["y"])

    assert line_of(format_graph(graph), "inputs: 'x', 'z'") == "inputs: 'x', 'z', absent"


def test_an_operators_own_fields_are_listed_by_name():
    tensors = [activation("x", (1, 2)), activation("y", (2, 1))]
    graph = make_graph(tensors, [reshape("y", "x", (2, 1))], ["x"], ["y"])

    text = format_graph(graph)

    assert text.endswith(
        "  1. Reshape 'y'\n     shape: (2, 1)\n     inputs: 'x'\n     outputs: 'y'\n"
    )
