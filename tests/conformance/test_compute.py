"""What operators compute in real numbers, against a float runtime, Keras and sample by sample."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from float_cases import OF_INTEGERS, SAMPLES, FloatCase, computed, float_cases
from merged import prefixed, side_by_side
from single_operator import OUTPUT, SOURCE

from tinyml.errors import ModelError
from tinyml.evaluate.oracle import run_float
from tinyml.ir.graph import Array, DType, Graph, QuantParams, Tensor
from tinyml.numerics import arrays
from tinyml.ops.contract.registry import operator_classes
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.families.function import Function
from tinyml.ops.families.standardize import Standardize
from tinyml.ops.quantize import Quantize
from tinyml.ops.shape import ShapeOf

# One worker asks the runtime once, and Keras.
pytestmark = pytest.mark.xdist_group("compute")

# Operators that no file has, which passes make.
OF_PASSES = {Function, Standardize}

by_class = pytest.mark.parametrize(
    "cls", sorted({type(case.op) for case in float_cases()}, key=str), ids=lambda cls: cls.__name__
)


def cases_of_class(cls: type) -> list[FloatCase]:
    return [case for case in float_cases() if type(case.op) is cls]


def assert_close(case: FloatCase, got: Array, expected: Array) -> None:
    """To the last bits of float32 beside the largest result, in any order of summing up."""
    finite = expected[np.isfinite(expected)]
    largest = float(np.abs(finite.astype(np.float64)).max(initial=1))
    message = f"{case.name} {case.parameters}"
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5 * largest, err_msg=message)


def one_by_one(case: FloatCase) -> list[list[Array]]:
    """The outputs of each sample."""
    rows = zip(*case.samples, strict=True)
    with np.errstate(all="ignore"):
        return [computed(arrays, case.graph, row) for row in rows]


@pytest.fixture(scope="module")
def of_runtime() -> dict[str, list[Array]]:
    """What the float runtime makes of every case."""
    cases = float_cases()
    graph = side_by_side("cases", [prefixed(case.spelled, case.name) for case in cases])
    results = iter(run_float(graph, [array for case in cases for array in case.samples]))
    return {case.name: [next(results) for _ in case.graph.outputs] for case in cases}


@pytest.fixture(scope="module")
def of_keras(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    """What ``keras.ops`` makes of every case, and whether gradients arrive."""
    path = tmp_path_factory.mktemp("keras") / "computed.npz"
    script = Path(__file__).with_name("keras_computes.py")
    command = [sys.executable, str(script), str(path)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    with np.load(path) as file:
        return dict(file)


def test_every_operator_computes_or_says_why_not():
    computing = {cls for cls in operator_classes() if not cls.without_compute}

    assert {type(case.op) for case in float_cases()} == computing - {*OF_INTEGERS} | OF_PASSES


@by_class
def test_numpy_computes_what_a_float_runtime_computes(cls, of_runtime):
    for case in cases_of_class(cls):
        for number, expected in enumerate(of_runtime[case.name]):
            got = np.stack([row[number] for row in one_by_one(case)])
            assert got.dtype == case.graph.tensor(case.graph.outputs[number]).dtype.numpy
            assert_close(case, got.reshape(expected.shape), expected)


@by_class
def test_a_batch_gives_what_its_samples_give_one_after_another(cls):
    cases = [case for case in cases_of_class(cls) if case.takes_batches]
    assert cases or cls is ShapeOf
    for case in cases:
        with np.errstate(all="ignore"):
            together = computed(arrays, case.graph, case.batch)
        for got, rows in zip(together, zip(*one_by_one(case), strict=True), strict=True):
            assert_close(case, got, np.concatenate(rows))


@by_class
def test_keras_computes_what_numpy_computes(cls, of_keras):
    for case in cases_of_class(cls):
        rows = one_by_one(case)[: SAMPLES if case.takes_batches else 1]
        for number, outputs in enumerate(zip(*rows, strict=True)):
            got = of_keras[f"{case.name}/{number}"]
            assert got.dtype == outputs[0].dtype
            assert_close(case, got, np.concatenate(outputs) if case.takes_batches else outputs[0])


@by_class
def test_gradients_arrive_where_an_operator_says_so(cls, of_keras):
    arrive = [bool(of_keras[f"{case.name}/gradient"]) for case in cases_of_class(cls)]

    assert any(arrive) == cls.differentiable


def edge(op: Quantize | Dequantize, before: DType, after: DType) -> Graph:
    quant = QuantParams.per_tensor(0.5, 3)
    tensors = {
        name: Tensor(name, (1, 2), dtype, None if dtype is DType.FLOAT32 else quant)
        for name, dtype in ((SOURCE, before), (OUTPUT, after))
    }
    return Graph("edge", tensors, (op,), (SOURCE,), (OUTPUT,))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    ("cls", "before", "after"),
    [
        (Quantize, DType.FLOAT32, DType.INT8),
        (Quantize, DType.INT8, DType.INT8),
        (Dequantize, DType.INT8, DType.FLOAT32),
    ],
)
def test_real_numbers_pass_the_edges_as_they_are(cls, before, after, batch):
    op = cls(name=OUTPUT, inputs=(SOURCE,), outputs=(OUTPUT,))
    x = np.linspace(-1, 1, 2 * batch, dtype=np.float32).reshape(batch, 2)

    (y,) = op.compute(arrays, edge(op, before, after), x)

    assert np.array_equal(y, x)


@pytest.mark.parametrize(
    "cls", [cls for cls in operator_classes() if cls.without_compute], ids=lambda cls: cls.__name__
)
def test_operators_with_state_refuse_by_name(cls):
    op = object.__new__(cls)
    object.__setattr__(op, "name", OUTPUT)

    with pytest.raises(ModelError, match=f"^{cls.opcodes[0]} 'output': it keeps state"):
        op.compute(arrays, Graph("empty", {}, (), (), ()))
