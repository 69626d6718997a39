import os
import signal

import numpy as np
import pytest
from graphs import activation, add, branches_int8, make_graph, relu, small_float, small_int8, spread
from references import REFERENCES

from tinyml.errors import ModelError, ToolchainError
from tinyml.export.tflite import write_tflite
from tinyml.runtime import tflite
from tinyml.runtime.tflite import (
    TFLITE_MICRO,
    Runtime,
    iterate_tflite,
    optimized,
    reference_runtime,
    run_tflite,
)

EACH = pytest.mark.parametrize("runtime", REFERENCES, ids=lambda runtime: runtime.package)


def small_samples(count: int) -> np.ndarray:
    return np.stack([spread((1, 6, 6, 2), seed) for seed in range(count)])


def doubling() -> bytes:
    """y = x + x, float32."""
    tensors = [activation("x", (1, 3), None), activation("y", (1, 3), None)]
    return write_tflite(make_graph(tensors, [add("y", "x", "x")], ["x"], ["y"]))


@EACH
def test_every_sample_is_run_in_order(runtime):
    x = np.arange(12, dtype=np.float32).reshape(4, 1, 3)

    (y,) = run_tflite(doubling(), [x], runtime)

    assert y.tolist() == (2 * x).tolist()


@EACH
def test_several_inputs_and_outputs_come_in_the_models_order(runtime):
    graph = branches_int8()
    a = np.zeros((2, 1, 2, 3), np.float32)
    b = np.full((2, 1, 2, 3), 7, np.int8)

    real, rectified = run_tflite(write_tflite(graph), [a, b], runtime)

    assert (real.shape, real.dtype) == ((2, 2, 4), np.float32)
    assert rectified.tolist() == np.full((2, 1, 4, 3), -5).tolist()


@EACH
def test_reference_and_optimized_kernels_agree_on_a_float_model(runtime):
    model, x = write_tflite(small_float()), [small_samples(3).astype(np.float32) / 127]

    reference = run_tflite(model, x, runtime)[0]

    np.testing.assert_allclose(reference, run_tflite(model, x, optimized(runtime))[0], atol=1e-5)


@EACH
def test_a_model_the_runtime_refuses_is_an_error_and_the_next_one_runs(runtime):
    with pytest.raises(ModelError, match=f"{runtime.package} .* refuses the model"):
        run_tflite(b"\0\0\0\0TFL3 and nothing that follows", [np.zeros((1, 1))], runtime)

    assert run_tflite(doubling(), [np.ones((1, 1, 3), np.float32)], runtime)[0].tolist() == [
        [[2, 2, 2]]
    ]


@pytest.mark.parametrize(
    "sample",
    [np.zeros((2, 1, 4), np.float32), np.zeros((2, 1, 3), np.int8), np.zeros((2, 3), np.float32)],
    ids=["size", "dtype", "rank"],
)
def test_samples_that_do_not_fit_the_input_are_refused(sample):
    with pytest.raises(ModelError, match="refuses the model"):
        run_tflite(doubling(), [sample], reference_runtime())


def test_a_runtime_that_dies_is_an_error_and_the_next_run_works():
    rows = iterate_tflite(doubling(), [np.ones((2, 1, 3), np.float32)], reference_runtime())
    next(rows)
    list(rows)
    os.kill(tflite._idle[-1].process.pid, signal.SIGKILL)
    tflite._idle[-1].process.wait()

    with pytest.raises(ModelError, match="crashed while it ran the model"):
        run_tflite(doubling(), [np.ones((1, 1, 3), np.float32)], reference_runtime())
    assert (
        run_tflite(doubling(), [np.ones((1, 1, 3), np.float32)], reference_runtime())[0].sum() == 6
    )


def test_a_run_cut_short_leaves_nothing_behind_for_the_next():
    rows = iterate_tflite(doubling(), [np.ones((5, 1, 3), np.float32)], reference_runtime())
    next(rows)
    rows.close()

    (y,) = run_tflite(doubling(), [np.zeros((1, 1, 3), np.float32)], reference_runtime())

    assert y.tolist() == [[[0, 0, 0]]]


def test_two_runs_may_take_turns():
    x = np.arange(9, dtype=np.float32).reshape(3, 1, 3)
    first = iterate_tflite(doubling(), [x], reference_runtime())
    second = iterate_tflite(doubling(), [x + 100], reference_runtime())

    pairs = [(one[0].sum(), other[0].sum()) for one, other in zip(first, second, strict=True)]

    assert pairs == [(6.0, 606.0), (24.0, 624.0), (42.0, 642.0)]


def test_a_result_is_a_copy_that_the_next_sample_leaves_alone():
    x = np.arange(6, dtype=np.float32).reshape(2, 1, 3)

    rows = list(iterate_tflite(doubling(), [x], reference_runtime()))

    assert rows[0][0].tolist() == [[0, 2, 4]]


def test_a_package_that_is_not_installed_is_named_with_the_command_that_installs_it():
    missing = Runtime("no-such-runtime", "no_such_runtime", "BUILTIN_REF", "no-such-runtime")

    assert not missing.is_installed
    with pytest.raises(ToolchainError, match="pip install no-such-runtime") as refusal:
        run_tflite(doubling(), [np.ones((1, 1, 3), np.float32)], missing)
    assert refusal.value.exit_code == 3


@EACH
def test_a_label_says_package_version_and_kernels(runtime):
    package, version, *kernels = runtime.label.split()

    assert package == runtime.package
    assert version[0].isdigit()
    assert kernels == ([] if runtime == TFLITE_MICRO else ["BUILTIN_REF"])


def test_the_reference_is_the_first_that_is_installed():
    assert reference_runtime() == REFERENCES[0]


def test_an_int8_activation_written_over_its_input_gives_the_same_bytes_in_every_runtime():
    tensors = [activation("x", (1, 4), 0.1, 3), activation("y", (1, 4), 0.1, 3)]
    model = write_tflite(make_graph(tensors, [relu("y", "x")], ["x"], ["y"]))
    x = np.array([[[-128, 2, 3, 127]]], np.int8)

    results = [run_tflite(model, [x], each)[0] for each in REFERENCES]

    assert [each.tolist() for each in results] == [[[[3, 3, 3, 127]]]] * len(REFERENCES)


@EACH
def test_the_small_network_gives_the_same_bytes_every_time(runtime):
    model, x = write_tflite(small_int8()), [small_samples(4)]

    first = run_tflite(model, x, runtime)[0]

    assert len(np.unique(first)) > 6
    assert np.array_equal(run_tflite(model, x, runtime)[0], first)
