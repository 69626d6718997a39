"""What `import tinyml` offers to Python programs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from graphs import branches_int8, small_float, small_int8, spread

import tinyml
from tinyml.data.dataset import quantize_samples
from tinyml.runtime.tflite import reference_runtime, run_tflite


@pytest.mark.parametrize("name", [name for name in dir(tinyml) if name != "__version__"])
def test_every_public_name_is_there(name):
    assert getattr(tinyml, name).__name__ == name


def test_a_name_that_is_not_public_is_refused():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        tinyml.nonsense  # noqa: B018  # looking it up is the test


def test_importing_tinyml_imports_nothing_heavy():
    code = "import sys, tinyml; print({'numpy', 'tensorflow', 'onnx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def test_a_type_checker_finds_the_types():
    assert (Path(tinyml.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("path_type", [str, Path])
def test_paths_are_text_or_path(tmp_path, path_type):
    model, data = tmp_path / "small.tflite", tmp_path / "x.npy"
    model.write_bytes(tinyml.write_tflite(small_int8()))
    np.save(data, IMAGES)

    graph = tinyml.load_model(path_type(model))
    build = tinyml.build_model(graph, tinyml.load_board("host"), path_type(tmp_path / "built"))
    module = tinyml.write_module(tinyml.generate_model(graph), path_type(tmp_path / "c"))

    assert len(tinyml.read_dataset(path_type(data), graph)) == len(IMAGES)
    assert build.elf.is_file()
    assert all(file.is_file() for file in module)


IMAGES = spread((5, 6, 6, 2)) / np.float32(40)
FORMS = {
    "array": IMAGES,
    "list": [IMAGES],
    "batched": IMAGES[:, None],
    "batched list": [IMAGES[:, None]],
}
every_form = pytest.mark.parametrize("samples", FORMS.values(), ids=FORMS)


@every_form
def test_samples_calibrate_alike_with_and_without_batch_and_list(samples):
    expected = tinyml.calibrate(small_float(), [IMAGES], tinyml.MinMax)

    assert tinyml.calibrate(small_float(), samples) == expected


@every_form
def test_samples_run_alike_with_and_without_batch_and_list(samples, built):
    graph, build, expected = built

    (outputs,) = tinyml.run_on_device(graph, build, samples).outputs

    np.testing.assert_array_equal(outputs, expected)


@every_form
def test_samples_compare_alike_with_and_without_batch_and_list(samples, built):
    graph, build, expected = built
    labels = expected.reshape(len(IMAGES), -1).argmax(axis=1)
    data = tinyml.Dataset(samples, labels)

    result = tinyml.compare_model(graph, data, build.board)

    assert result.passed
    assert result.device_accuracy == 1.0


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A graph, its program for this computer, and its outputs for IMAGES."""
    graph, board = small_int8(), tinyml.load_board("host")
    build = tinyml.build_model(graph, board, tmp_path_factory.mktemp("built"))
    tensor = graph.tensor("image")
    codes = quantize_samples([IMAGES], [tensor])
    (expected,) = run_tflite(tinyml.write_tflite(graph), codes, reference_runtime())
    return graph, build, expected


def test_a_graph_with_float_edges_runs_on_real_numbers(tmp_path):
    graph = branches_int8()
    build = tinyml.build_model(graph, tinyml.load_board("host"), tmp_path)
    samples = [spread((4, 2, 3)) / np.float32(50), spread((4, 2, 3), 1) / np.float32(50)]

    first, second = tinyml.run_on_device(graph, build, samples).outputs

    assert (first.dtype, first.shape, second.shape) == (np.int8, (4, 2, 4), (4, 1, 4, 3))


GRAPH, BOARD = small_int8(), tinyml.load_board("host")
WRONG = {
    "a number as a path": (lambda: tinyml.load_model(3), "3 is no path but of type int"),
    "a path as a graph": (
        lambda: tinyml.quantize_graph("model.keras", None),
        r"tinyml.quantize_graph got 'model.keras' as 'graph', expected Graph",
    ),
    "a name as a board": (
        lambda: tinyml.build_model(GRAPH, "host", "built"),
        "tinyml.build_model got 'host' as 'board', expected Board",
    ),
    "a number as a board's name": (
        lambda: tinyml.load_board(3),
        "tinyml.load_board got 3 as 'name', expected str",
    ),
    "an array as a dataset": (
        lambda: tinyml.compare_model(GRAPH, IMAGES, BOARD),
        "got something of type ndarray as 'data', expected Dataset",
    ),
    "lists as samples": (
        lambda: tinyml.calibrate(small_float(), IMAGES.tolist()),
        "samples are of type list, expected a numpy array, or a list of one for each input",
    ),
    "samples of another shape": (
        lambda: tinyml.calibrate(small_float(), IMAGES[:, :5]),
        r"the array of samples for 'image' has shape \(5, 5, 6, 2\), expected \(N, 6, 6, 2\)",
    ),
    "samples without their axis": (
        lambda: tinyml.calibrate(small_float(), IMAGES[0]),
        r"has shape \(6, 6, 2\), expected \(N, 6, 6, 2\)",
    ),
    "samples that are no numbers": (
        lambda: tinyml.calibrate(small_float(), IMAGES.astype(str)),
        "has dtype <U32, expected numbers",
    ),
    "samples for too many inputs": (
        lambda: tinyml.calibrate(small_float(), [IMAGES, IMAGES]),
        "samples for 2 inputs, expected one array for each of 'image'",
    ),
    "labels of another count": (
        lambda: tinyml.compare_model(GRAPH, tinyml.Dataset(IMAGES, np.zeros(4, int)), BOARD),
        r"the array of labels is int64 \(4,\), expected one integer class for each of 5 samples",
    ),
    "an observer in place of its class": (
        lambda: tinyml.calibrate(small_float(), IMAGES, "minmax"),
        "tinyml.calibrate got 'minmax' as 'make_observer', expected what can be called",
    ),
    "a quantized graph to calibrate": (
        lambda: tinyml.calibrate(GRAPH, IMAGES),
        "graph 'small' is quantized already, expected a float model",
    ),
    "kernels that there are not": (
        lambda: tinyml.generate_model(GRAPH, kernels="fast"),
        "there are no kernels 'fast', expected auto or cmsis-nn",
    ),
    "a goal that there is not": (
        lambda: tinyml.generate_model(GRAPH, goal="size"),
        "there is no goal 'size', expected speed or flash",
    ),
    "a console that there is not": (
        lambda: tinyml.build_model(GRAPH, BOARD, "built", console="tty"),
        "got 'tty' as 'console', expected 'semihosting' or 'uart'",
    ),
    "an oracle that there is not": (
        lambda: tinyml.compare_model(GRAPH, tinyml.Dataset(IMAGES), BOARD, "tflm"),
        "there is no oracle 'tflm', expected tflite-runtime or tflite-micro or ai-edge-litert",
    ),
    "text as a limit": (
        lambda: tinyml.compare_model(GRAPH, tinyml.Dataset(IMAGES), BOARD, max_accuracy_drop="1"),
        "got '1' as 'max_accuracy_drop', expected a number or None",
    ),
    "a scheme of another dtype": (
        lambda: tinyml.Scheme(activations="float16"),
        "activations are to be 'float16', expected DType.INT8 or DType.INT16",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_what_a_function_does_not_take_is_refused_in_a_sentence(call, message):
    with pytest.raises(tinyml.TinymlError, match=message):
        call()


def test_firmware_of_another_graph_is_refused_in_a_sentence(built):
    _, build, _ = built
    samples = [spread((4, 2, 3)) / np.float32(50)] * 2

    with pytest.raises(tinyml.TinymlError, match="firmware 'small' has inputs and outputs of"):
        tinyml.run_on_device(branches_int8(), build, samples)
