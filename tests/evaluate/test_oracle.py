"""A graph of which different kernels count for different operators."""

from dataclasses import replace

import numpy as np
import pytest
from graphs import (
    activation,
    add,
    conv_2d,
    fully_connected,
    int8_weights,
    int32_bias,
    make_graph,
    relu,
    spread,
)
from stateful import FIRST, echo

from tinyml.data.dataset import Dataset
from tinyml.errors import ToolchainError
from tinyml.evaluate.compare import compare_model
from tinyml.evaluate.oracle import Oracles, run_float, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.elu import Elu
from tinyml.ops.log import Log
from tinyml.ops.mul import Mul
from tinyml.ops.reverse_v2 import ReverseV2
from tinyml.ops.squared_difference import SquaredDifference
from tinyml.ops.sum import Sum
from tinyml.ops.tile import Tile
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    RUNTIMES,
    TFLITE_MICRO,
    TFLITE_REFERENCE,
    Runtime,
    optimized,
    reference_runtime,
    run_tflite,
)

SHAPE = (1, 4)
SAMPLES = np.array([[[1, 2, 3, 4]], [[-128, 0, 90, 127]]], np.int8)


def log(output: str, source: str) -> Log:
    """LiteRT counts for it."""
    return Log(name=output, inputs=(source,), outputs=(output,))


def total(output: str, source: str) -> Sum:
    """tflite-runtime's optimized kernels count for it, or LiteRT's."""
    return Sum(name=output, inputs=(source,), outputs=(output,), axes=(1,), keep_dims=True)


def mixed() -> Graph:
    """Log, then its sum; beside them a RELU."""
    tensors = [
        activation("x", SHAPE, 0.05, -128),
        activation("logs", SHAPE, 0.03, 20),
        activation("total", (1, 1), 0.1, 3),
        activation("y", SHAPE, 0.05, -128),
    ]
    ops = [log("logs", "x"), total("total", "logs"), relu("y", "x")]
    return make_graph(tensors, ops, ["x"], ["total", "y"])


def part(graph: Graph, source: str, output: str) -> bytes:
    """The one operator between two tensors, as a model."""
    ops = (graph.producers[output],)
    return write_tflite(replace(graph, ops=ops, inputs=(source,), outputs=(output,)).pruned())


def test_each_operator_is_run_by_the_kernels_that_count_for_it():
    graph = mixed()
    (logs,) = run_tflite(part(graph, "x", "logs"), [SAMPLES], LITERT_REFERENCE)
    (totals,) = run_tflite(part(graph, "logs", "total"), [logs], optimized(LITERT_REFERENCE))
    (kept,) = run_tflite(part(graph, "x", "y"), [SAMPLES], LITERT_REFERENCE)

    got = run_reference(graph, [SAMPLES])

    assert np.array_equal(got[0], totals)
    assert np.array_equal(got[1], kept)


def test_the_label_names_every_runtime_and_what_it_counts_for():
    label = Oracles(doubled()).label

    assert label == "; ".join(
        [
            reference_runtime().label,
            f"LOG: {LITERT_REFERENCE.label}",
            f"SUM: {first_installed(Oracle.TFLITE_RUNTIME_OPTIMIZED, Oracle.LITERT_OPTIMIZED)}",
        ]
    )


def first_installed(*oracles: Oracle) -> str:
    return next(RUNTIMES[each].label for each in oracles if RUNTIMES[each].is_installed)


def doubled() -> Graph:
    """The mixed graph with an operator that every runtime has."""
    graph = mixed()
    kept = replace(graph.tensor("total"), name="kept")
    op = add("kept", "total", "total")
    return replace(graph.with_tensors(kept), ops=(*graph.ops[:2], op), outputs=("kept",)).pruned()


def test_a_graph_of_one_oracle_bears_its_name_alone():
    assert Oracles(echo()).label == reference_runtime().label


def dense() -> Graph:
    """Halves of a unit in the last place are common here, and LiteRT rounds them in float."""
    weights = int8_weights("w", (64, 4), None, scale=0.25, seed=3)
    tensors = [
        activation("x", SHAPE, 0.5, 3),
        weights,
        int32_bias("b", 0.5, weights, 64, seed=4),
        activation("y", (1, 64), 1.0, -7),
    ]
    return make_graph(tensors, [fully_connected("y", "x", "w", "b")], ["x"], ["y"])


def not_installed(oracle: Oracle) -> Runtime:
    return replace(RUNTIMES[oracle], module="no_such_module")


@pytest.fixture
def litert_alone(monkeypatch) -> None:
    """As on systems that neither tflite-runtime nor tflite-micro has a wheel for."""
    for oracle in Oracle:
        if RUNTIMES[oracle].package != LITERT_REFERENCE.package:
            monkeypatch.setitem(RUNTIMES, oracle, not_installed(oracle))


@pytest.mark.usefixtures("litert_alone")
def test_a_reference_of_other_arithmetic_is_said_to_be_one_and_its_bytes_judge_nothing():
    data = Dataset((spread((16, 4), seed=9),), None)

    result = compare_model(dense(), data, load_board("host"))

    assert result.mismatched_bytes > 0
    assert result.max_difference == 1
    assert result.reference_errors == {"FULLY_CONNECTED": 1}
    assert result.passed


@pytest.mark.usefixtures("litert_alone")
def test_operators_that_litert_has_right_are_judged_without_the_other_runtimes():
    data = Dataset((spread((5, 4, 5, 3)),), None)

    result = compare_model(between_convolutions(), data, load_board("host"))

    assert (result.mismatched_bytes, result.reference_errors) == (0, {})


def test_a_package_that_was_asked_for_is_judged_as_it_is():
    data = Dataset((spread((16, 4), seed=9),), None)

    result = compare_model(dense(), data, load_board("host"), LITERT_REFERENCE.package)

    assert result.reference == LITERT_REFERENCE.label
    assert result.reference_errors == {}
    assert not result.passed


def test_a_package_that_lacks_an_operator_leaves_it_to_the_others():
    label = Oracles(doubled(), TFLITE_MICRO.package).label

    assert label.startswith(f"{TFLITE_MICRO.label}; LOG: {LITERT_REFERENCE.label}; SUM: ")


def test_state_lives_on_where_what_assigns_and_what_reads_it_run_elsewhere():
    """The echo of a logarithm, one step late, and of RELU after it."""
    graph = echo()
    quant = graph.tensor("x").quant
    before = activation("given", SHAPE, 0.05, -128)
    after = replace(graph.tensor("y"), name="z")
    graph = replace(
        graph.with_tensors(before, after),
        ops=(log("x", "given"), *graph.ops, relu("z", "y")),
        inputs=("given",),
        outputs=("x", "z"),
    )

    logs, echoes = run_reference(graph, [SAMPLES])

    assert quant is not None
    late = np.concatenate([FIRST[np.newaxis], logs[:1]])
    assert np.array_equal(echoes, np.maximum(late, quant.zero_point[0]))


def elu(output: str, source: str) -> Elu:
    """tflite-runtime's optimized kernels count for it, or LiteRT's."""
    return Elu(name=output, inputs=(source,), outputs=(output,))


def between_convolutions() -> Graph:
    """Operators that three sets of kernels count for, between convolutions."""
    image = (1, 4, 5, 3)
    weights = [int8_weights(f"w{number}", (3, 1, 1, 3), 0, seed=number) for number in (0, 1)]
    biases = [int32_bias(f"b{i}", s, weights[i], 3) for i, s in ((0, 0.05), (1, 0.03))]
    tensors = [
        activation("x", image, 0.05, 3),
        *weights,
        *biases,
        activation("first", image, 0.04, -5),
        activation("smooth", image, 0.03, -90),
        activation("turned", image, 0.03, -90),
        activation("second", image, 0.02, -100),
        activation("logs", image, 0.03, 20),
        activation("total", (1, 1, 1, 3), 0.1, 3),
    ]
    ops = [
        conv_2d("first", "x", "w0", "b0"),
        elu("smooth", "first"),
        ReverseV2(name="turned", inputs=("smooth",), outputs=("turned",), axes=(1, 2)),
        conv_2d("second", "turned", "w1", "b1"),
        log("logs", "second"),
        Sum(name="total", inputs=("logs",), outputs=("total",), axes=(1, 2), keep_dims=True),
    ]
    return make_graph(tensors, ops, ["x"], ["turned", "total"])


@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_a_device_equals_the_kernels_that_count_for_each_of_its_operators(board):
    data = Dataset((spread((5, 4, 5, 3)),), None)

    result = compare_model(between_convolutions(), data, load_board(board))

    assert result.mismatched_bytes == 0
    assert result.compared_bytes == 5 * (4 * 5 * 3 + 3)
    assert result.reference.startswith(reference_runtime().label)
    assert f"LOG: {LITERT_REFERENCE.label}" in result.reference.replace("REVERSE_V2", "LOG")


@pytest.mark.parametrize("board", ["host", "mps2-an386"])
def test_what_goes_through_an_elu_into_the_next_step_is_compared(board):
    """Each step adds its input to what the one before left, and keeps the ELU of the sum."""
    graph = echo()
    quant = activation("sum", SHAPE, 0.1, 3)
    graph = replace(
        graph.with_tensors(quant, replace(quant, name="kept next")),
        ops=(
            graph.ops[0],
            add("sum", "y", "x"),
            elu("kept next", "sum"),
            replace(graph.ops[1], inputs=("kept", "kept next")),
        ),
        outputs=("kept next",),
    )
    data = Dataset((np.concatenate([SAMPLES, SAMPLES // 2])[:, 0],), None)

    result = compare_model(graph, data, load_board(board))

    assert result.mismatched_bytes == 0
    assert first_installed(Oracle.TFLITE_RUNTIME_OPTIMIZED, Oracle.TFLITE_MICRO) in result.reference


def test_an_oracle_that_is_not_installed_is_named_before_anything_is_built(monkeypatch):
    missing = not_installed(Oracle.TFLITE_MICRO)
    monkeypatch.setitem(RUNTIMES, Oracle.TFLITE_MICRO, missing)
    data = Dataset((SAMPLES[:, 0],), None)

    with pytest.raises(ToolchainError, match=r"pip install tflite-micro==0\.dev.* Linux"):
        compare_model(dense(), data, load_board("host"), missing.package)


def test_a_float_graph_runs_where_all_of_its_operators_are_right():
    """Of both axes tflite-runtime would reverse the first only, and calibration would see that."""
    tensors = [activation("x", (1, 2, 2), None), activation("y", (1, 2, 2), None)]
    op = ReverseV2(name="y", inputs=("x",), outputs=("y",), axes=(1, 2))
    samples = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)

    (result,) = run_float(make_graph(tensors, [op], ["x"], ["y"]), [samples])

    assert result.ravel().tolist() == [3, 2, 1, 0]


def test_litert_runs_a_tile_of_int16_which_tflite_runtime_refuses():
    quant = QuantParams.per_tensor(0.1, 0)
    tensors = [Tensor(name, (1, size), DType.INT16, quant) for name, size in (("x", 4), ("y", 8))]
    tile = Tile(name="y", inputs=("x",), outputs=("y",), multiples=(1, 2))
    oracles = Oracles(make_graph(tensors, [tile], ["x"], ["y"]))

    (y,) = oracles.run([SAMPLES.astype(np.int16)])

    assert oracles.runtimes == (LITERT_REFERENCE,)
    np.testing.assert_array_equal(y, np.tile(SAMPLES.astype(np.int16), 2))


def five_dimensions(dtype: DType) -> Graph:
    """A product with one factor for every channel."""
    quant = None if dtype is DType.FLOAT32 else QuantParams.per_tensor(0.05, 3)
    shapes = {"x": (1, 2, 2, 2, 3), "z": (3,), "y": (1, 2, 2, 2, 3)}
    tensors = [Tensor(name, shape, dtype, quant) for name, shape in shapes.items()]
    fields = {"activation": Activation.NONE}
    product = Mul(name="y", inputs=("x", "z"), outputs=("y",), **fields)
    return make_graph(tensors, [product], ["x", "z"], ["y"])


def test_products_of_five_dimensions_are_none_of_tflite_runtimes():
    assert RUNTIMES[Oracle.TFLITE_RUNTIME] not in Oracles(five_dimensions(DType.INT8)).runtimes


@pytest.fixture
def unknown_crash(monkeypatch) -> None:
    """As if nobody had seen tflite-runtime crash."""
    for kind in (Mul, SquaredDifference):
        monkeypatch.setattr(kind, "five_in_tflite_runtime", True)


@pytest.mark.usefixtures("unknown_crash")
def test_where_a_reference_crashes_the_next_that_counts_takes_over_and_is_named():
    graph = five_dimensions(DType.INT8)
    data = Dataset((spread((5, 2, 2, 2, 3)), spread((5, 3), seed=1)), None)

    result = compare_model(graph, data, load_board("host"))

    assert result.mismatched_bytes == 0
    assert result.reference_errors == {}
    assert TFLITE_MICRO.label in result.reference
    is_told = "(tflite-runtime 2.14.0 BUILTIN_REF fails)" in result.reference
    assert is_told == TFLITE_REFERENCE.is_installed


@pytest.mark.usefixtures("unknown_crash")
def test_a_float_graph_that_one_runtime_crashes_on_runs_on_litert():
    graph = five_dimensions(DType.FLOAT32)
    op = SquaredDifference(name="y", inputs=("x", "z"), outputs=("y",))
    x, z = np.ones((2, 1, 2, 2, 2, 3), np.float32), np.full((2, 3), 3, np.float32)

    (result,) = run_float(replace(graph, ops=(op,)), [x, z])

    assert np.array_equal(result, 4 * x)
