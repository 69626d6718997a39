"""Post-training quantization of one elementwise operator or reduction at a time."""

import numpy as np
import pytest
from function_graphs import CHOICES, DIVISORS, FUNCTIONS, PLAIN, X, float_graph, float_samples, make

from tinyml.errors import ModelError
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, DType, Graph
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.contract.target import Target
from tinyml.ops.div import Div
from tinyml.ops.logistic import OUTPUT_QUANT, Logistic
from tinyml.ops.maximum import Maximum
from tinyml.ops.mul import Mul
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.choose import choose_kernels
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme


def quantized(graph: Graph, samples: list[Array]) -> Graph:
    return quantize_graph(graph, calibrate(graph, samples, MinMax), Scheme())


def int8_results(graph: Graph, samples: list[Array]) -> Array:
    """What the int8 graph answers to float samples, in float where it is int8."""
    inputs = [graph.tensor(name) for name in graph.inputs]
    integers = [quantize(array, t.quant) for array, t in zip(samples, inputs, strict=True)]
    (result,) = run_reference(graph, integers)
    quant = graph.tensor(graph.outputs[0]).quant
    return result if quant is None else dequantize(result, quant)


def float_results(graph: Graph, samples: list[Array]) -> Array:
    (result,) = run_float(graph, samples)
    return result


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_int8_function_stays_within_two_steps_of_the_float_one_most_of_the_time(name):
    graph = FUNCTIONS[name]
    samples = float_samples(name, graph)
    int8 = quantized(graph, samples)
    steps = [int8.tensor(end).scale for end in (*int8.inputs, *int8.outputs)]

    error = np.abs(int8_results(int8, samples) - float_results(graph, samples))

    assert np.median(error) <= 2 * max(steps)


@pytest.mark.parametrize("name", CHOICES)
def test_an_int8_choice_is_nearly_always_that_of_the_float_operator(name):
    graph = CHOICES[name]
    samples = float_samples(name, graph)
    int8 = quantized(graph, samples)
    step = max(int8.tensor(end).scale for end in int8.inputs)

    result = int8_results(int8, samples)
    expected = float_results(graph, samples)

    assert result.dtype == expected.dtype
    error = np.abs(result.astype(np.float64) - expected.astype(np.float64))
    assert np.mean(error <= step) > 0.9


@pytest.mark.parametrize("name", [*FUNCTIONS, *CHOICES])
def test_a_quantized_operator_runs_on_every_core(name):
    graph = {**FUNCTIONS, **CHOICES}[name]

    prepared = prepare_for_device(quantized(graph, float_samples(name, graph)))

    assert [step.op for step in choose_kernels(prepared, Target(cmsis_nn=5))] == list(prepared.ops)
    assert all(t.dtype is not DType.FLOAT32 for t in prepared.tensors.values())


@pytest.mark.parametrize("name", [*FUNCTIONS, *CHOICES])
def test_what_is_written_and_read_again_is_the_same_for_the_device(name):
    graph = {**FUNCTIONS, **CHOICES}[name]
    prepared = prepare_for_device(quantized(graph, float_samples(name, graph)))

    again = prepare_for_device(read_tflite(write_tflite(prepared), prepared.name))

    assert again.ops == prepared.ops
    assert again.tensors == prepared.tensors


def test_a_division_by_a_constant_becomes_a_multiplication_by_its_reciprocal():
    graph = FUNCTIONS["div"]

    int8 = quantized(graph, float_samples("div", graph))

    (op,) = int8.ops
    assert isinstance(op, Mul)
    constant = int8.tensor(op.inputs[1])
    np.testing.assert_allclose(
        dequantize(constant.constant, constant.quant), 1 / DIVISORS["d"], atol=constant.scale
    )


@pytest.mark.parametrize("divisor", [np.array([1, 0, 2], np.float32), None])
def test_a_division_by_zero_or_by_what_is_computed_is_refused(divisor):
    inputs = X if divisor is not None else {**X, "d": (3,)}
    constants = {"d": divisor} if divisor is not None else {}
    graph = float_graph(inputs, make(Div, "x", "d", **PLAIN), constants=constants)
    calibrated = [np.ones((1, *graph.tensor(name).shape), np.float32) for name in graph.inputs]
    with np.errstate(divide="ignore"):
        table = calibrate(FUNCTIONS["div"], calibrated[:1], MinMax)
    ranges = {**table.ranges, "d": (0.5, 1.0)}

    with pytest.raises(ModelError, match="no int8 kernel for a division"):
        quantize_graph(graph, type(table)(ranges, 1), Scheme())


def test_a_maximum_of_a_probability_gets_it_requantized_to_the_other_inputs_scale():
    graph = float_graph(
        {"x": (1, 4), "z": (1, 4)},
        make(Logistic, "x", output="p"),
        make(Maximum, "p", "z"),
    )

    int8 = quantized(graph, float_samples("maximum", graph))

    assert int8.tensor("p").quant == OUTPUT_QUANT
    assert [type(op).__name__ for op in int8.ops] == ["Logistic", "Quantize", "Maximum"]
