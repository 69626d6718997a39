"""Models that other tools wrote, kept in exports/: read, quantized where float, built, and run."""

from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from float_cases import computed
from merged import device_outputs, differences, merge, reference_outputs
from modules import module_of
from references import reference_of, references_of
from single_operator import Case, samples_of

from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.firmware.boards import load_board
from tinyml.frontend.load import load_model
from tinyml.ir.graph import Array, DType, Graph, Tensor, is_quantized
from tinyml.numerics import arrays
from tinyml.numerics.affine import dequantize, quantize
from tinyml.ops.contract.c import Isa
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import (
    LITERT_REFERENCE,
    TFLITE_REFERENCE,
    Runtime,
    run_tflite,
)

FOLDER = Path(__file__).parent / "exports"
FILES = sorted([*FOLDER.glob("*.tflite"), *FOLDER.glob("*.onnx")])
FLOAT_SCHEMES = (".float.", ".float16.")
FLOAT_ONNX = [path for path in FILES if path.suffix == ".onnx" and ".qdq_" not in path.name]
FLOAT = [path for path in FILES if path in FLOAT_ONNX or any(s in path.name for s in FLOAT_SCHEMES)]
QDQ = [path for path in FILES if ".qdq_" in path.name]
QDQ_SAMPLES = 1000
INTEGER_TFLITE = [
    path
    for path in FILES
    if path.suffix == ".tflite" and not any(scheme in path.name for scheme in FLOAT_SCHEMES)
]

# What tflite-runtime makes of these files is not what they say: it knows nothing of
# FULLY_CONNECTED weights per channel, and takes the first scale for all.
MISREAD = {"tensorflow-2.20.0-attention.int8"}

# Without a bias, and silent about the type of its sums: 32 bits to tflite-runtime, 64 to others.
UNSAID = {"tensorflow-2.8.4-transposed.int16"}

# Of int16, where LiteRT rounds a layer otherwise and others follow.
LARGEST_ERROR = 4

by_name = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


@cache
def read(path: Path) -> Graph:
    return load_model(path)


def normal_samples(graph: Graph, count: int = 8) -> list[Array]:
    rng = np.random.default_rng(7)
    shapes = [(count, *graph.tensor(name).shape) for name in graph.inputs]
    return [rng.normal(size=shape).astype(np.float32) for shape in shapes]


@cache
def prepared(path: Path) -> Graph:
    """The graph as the device gets it, quantized here where the file is float."""
    graph = read(path)
    if not is_quantized(graph):
        table = calibrate(graph, normal_samples(graph), MinMax)
        graph = quantize_graph(graph, table, Scheme())
    return prepare_for_device(graph)


@cache
def case(path: Path) -> Case:
    return Case(path.stem.replace(".", "_"), path.name, prepared(path))


def oracle_of(path: Path) -> Runtime:
    """Whose kernels run the whole file; no runtime may have the bytes of all its operators."""
    return LITERT_REFERENCE if path.stem in MISREAD else reference_of(read(path))


def is_exact(path: Path) -> bool:
    """Whether that runtime has the bytes of all operators as the file has them."""
    exact = references_of(read(path))
    return TFLITE_REFERENCE in exact or (bool(exact) and path.stem not in UNSAID)


@by_name
def test_a_model_of_another_tool_can_be_built(path):
    board = load_board("mps2-an386")

    module = module_of(prepared(path), "model", frozenset([Isa(board.isa)]))

    assert module.files


@pytest.mark.parametrize("board_name", ["host", "mps2-an386"])
def test_models_of_other_tools_give_the_bytes_of_the_reference_kernels(board_name, tmp_path):
    board = load_board(board_name)
    merged = merge([case(path) for path in FILES])
    module = module_of(merged.graph, "exports", frozenset([Isa(board.isa)]))

    got = device_outputs(merged, module, board, tmp_path)

    assert differences(merged, reference_outputs(merged), got) == []


def _as_the_file_has_it(values: Array, inner: Tensor, edge: Tensor, path: Path) -> Array:
    """Integers of the device's input in the dtype of the file's own."""
    if ".uint8" in path.name:
        return (values.astype(np.int16) + 128).astype(np.uint8)
    return dequantize(values, inner.quant) if edge.dtype is DType.FLOAT32 else values


def _as_the_device_has_it(values: Array, inner: Tensor, edge: Tensor, path: Path) -> Array:
    if ".uint8" in path.name:
        return (values.astype(np.int16) - 128).astype(np.int8)
    if edge.dtype is not DType.FLOAT32:
        return values
    return quantize(values, inner.quant, inner.dtype)


@pytest.mark.parametrize("path", INTEGER_TFLITE, ids=lambda path: path.stem)
def test_what_was_read_computes_what_the_file_itself_computes(path):
    graph, device, oracle = read(path), prepared(path), oracle_of(path)
    samples = samples_of(case(path))
    edges = [*zip(device.inputs, graph.inputs, strict=True)]
    given = [
        _as_the_file_has_it(values, device.tensor(inner), graph.tensor(edge), path)
        for values, (inner, edge) in zip(samples, edges, strict=True)
    ]

    own = run_tflite(path.read_bytes(), given, oracle)

    ours = run_reference(device, samples, oracle)
    for number, (inner, edge) in enumerate(zip(device.outputs, graph.outputs, strict=True)):
        tensors = device.tensor(inner), graph.tensor(edge)
        theirs = _as_the_device_has_it(own[number], *tensors, path)
        off = np.abs(ours[number].reshape(theirs.shape).astype(np.int64) - theirs)
        assert off.max() <= (0 if is_exact(path) else LARGEST_ERROR)


# --------------------------------------------------------------------------- ONNX


def run_onnx(path: Path, outputs: tuple[str, ...], samples: list[Array]) -> list[Array]:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    # Without VNNI instructions sums of int8 products saturate at 16 bits unless this is asked for.
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [info.name for info in session.get_inputs()]
    rows = [
        session.run(list(outputs), dict(zip(names, sample, strict=True)))
        for sample in zip(*samples, strict=True)
    ]
    return [np.stack(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize("path", FLOAT_ONNX, ids=lambda path: path.stem)
def test_a_float_model_gives_what_onnx_runtime_gives(path):
    graph = read(path)
    samples = normal_samples(graph)

    expected = run_onnx(path, graph.outputs, samples)

    for ours, theirs in zip(run_float(graph, samples), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("path", FLOAT, ids=lambda path: path.stem)
def test_operators_compute_of_a_batch_what_the_runtime_computes_of_its_samples(path):
    graph = read(path)
    samples = normal_samples(graph)

    got = computed(arrays, graph, [np.concatenate(list(array)) for array in samples])

    for ours, theirs in zip(got, run_float(graph, samples), strict=True):
        np.testing.assert_allclose(ours.reshape(theirs.shape), theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("path", QDQ, ids=lambda path: path.stem)
def test_a_qdq_model_agrees_with_onnx_runtime_on_the_class_and_to_two_steps(path):
    graph, device = read(path), prepared(path)
    samples = normal_samples(graph, QDQ_SAMPLES)
    output = device.tensor(device.outputs[0])
    integers = [
        quantize(values, device.tensor(name).quant, DType.INT8)
        for values, name in zip(samples, device.inputs, strict=True)
    ]

    (expected,) = run_onnx(path, graph.outputs, samples)
    (got,) = run_reference(device, integers)

    real = dequantize(got, output.quant).reshape(expected.shape)
    assert np.abs(real - expected).max() <= 2.01 * output.scale
    ours, theirs = (scores.reshape(QDQ_SAMPLES, -1) for scores in (real, expected))
    assert np.mean(ours.argmax(1) == theirs.argmax(1)) >= 0.995
