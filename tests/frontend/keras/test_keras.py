import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from modules import module_of

from tinyml.errors import InputError, ModelError, ToolchainError
from tinyml.frontend.keras.convert import convert_keras
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType
from tinyml.ops.contract.c import PORTABLE
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme
from tinyml.runtime.tflite import LITERT_REFERENCE, run_tflite

# One worker makes the models once; see keras_models.py.
pytestmark = pytest.mark.xdist_group("keras")

WORKING = [
    "functional.keras",
    "sequential.keras",
    "sequential.h5",
    "exported",
    "lists.keras",
    "dict.keras",
    "twelve.keras",
    "twice.keras",
    "odd_names.keras",
    "nested.keras",
    "recurrent.keras",
    "dense_on_steps.keras",
    "time_distributed.keras",
    "conv_on_steps.keras",
    "flat_on_steps.keras",
    "float64.keras",
    "function",
]
KERAS_2 = ["words_2.h5", "words_2.keras", "words_2", "hdf5_2.keras"]
KERAS_2_STEPS = ["rows_2.h5", "rows_2"]
HALF_PRECISION = [
    "mixed_float16.keras",
    "mixed_bfloat16.h5",
    "float16.keras",
    "mixed_2.h5",
]


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> Path:
    """The folder of all models of keras_models.py, made and converted."""
    folder = tmp_path_factory.mktemp("keras")
    script = Path(__file__).with_name("keras_models.py")
    made = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr[-2000:]
    return folder


def converted(models: Path, name: str) -> bytes:
    return (models / f"{name}.tflite").read_bytes()


def error(models: Path, name: str) -> dict[str, str]:
    return json.loads(converted(models, name))


def arrays(models: Path, name: str, first_letter: str) -> list[np.ndarray]:
    with np.load(models / f"{name}.npz") as file:
        return [file[key] for key in sorted(file.files) if key.startswith(first_letter)]


@pytest.mark.parametrize("name", WORKING + KERAS_2 + KERAS_2_STEPS)
def test_a_converted_model_computes_what_keras_computes_output_by_output(models, name):
    samples = [array[:, np.newaxis] for array in arrays(models, name, "x")]

    outputs = run_tflite(converted(models, name), samples, LITERT_REFERENCE)

    for output, expected in zip(outputs, arrays(models, name, "y"), strict=True):
        np.testing.assert_allclose(output[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", HALF_PRECISION)
def test_a_model_that_keras_computes_in_16_bits_is_converted_in_float32(models, name):
    graph = read_tflite(converted(models, name), name)
    samples = [array[:, np.newaxis] for array in arrays(models, name, "x")]

    (output,) = run_tflite(converted(models, name), samples, LITERT_REFERENCE)

    assert {tensor.dtype for tensor in graph.tensors.values()} <= {DType.FLOAT32, DType.INT32}
    (expected,) = arrays(models, name, "y")  # with 8 bits of mantissa in bfloat16
    np.testing.assert_allclose(output[:, 0], expected, atol=0.02 * np.abs(expected).max())


@pytest.mark.parametrize("name", KERAS_2)
def test_what_keras_2_wrote_becomes_the_operators_its_layers_are(models, name):
    graph = read_tflite(converted(models, name), name)

    assert [type(op).__name__ for op in graph.ops] == [
        "Sub",
        "Conv2D",
        "DepthwiseConv2D",
        "AveragePool2D",
        "FullyConnected",
        "Softmax",
    ]


def test_layers_of_keras_2_keep_their_names(models):
    graph = read_tflite(converted(models, "words_2.h5"), "words")

    outputs = [op.outputs[0] for op in graph.ops]
    assert (graph.inputs, graph.outputs) == (("sound",), ("class",))
    assert outputs[1:4] == ["relu", "depthwise", "pool"]


@pytest.mark.parametrize("name", KERAS_2_STEPS)
def test_recurrent_layers_of_keras_2_spell_their_steps_out(models, name):
    graph = read_tflite(converted(models, name), name)

    assert not graph.states
    assert all(op.opcodes[0] != "UNIDIRECTIONAL_SEQUENCE_LSTM" for op in graph.ops)


@pytest.mark.parametrize("name", ["dense_on_steps.keras", "time_distributed.keras"])
def test_a_dense_for_each_step_is_one_operator_in_both_spellings(models, name):
    graph = read_tflite(converted(models, name), name)

    assert [type(op).__name__ for op in graph.ops] == ["FullyConnected"]


@pytest.mark.parametrize("name", WORKING)
def test_every_tensor_has_a_static_shape_with_batch_1(models, name):
    graph = read_tflite(converted(models, name), name)

    assert {tensor.shape[0] for tensor in map(graph.tensor, graph.inputs + graph.outputs)} == {1}


@pytest.mark.parametrize("name", ["sequential.keras", "sequential.h5", "exported"])
def test_flatten_becomes_one_reshape(models, name):
    graph = read_tflite(converted(models, name), name)

    assert [type(op).__name__ for op in graph.ops] == ["Conv2D", "Reshape", "FullyConnected"]


def test_tensors_have_the_names_of_the_layers_that_make_them(models):
    graph = read_tflite(converted(models, "functional.keras"), "functional")

    assert graph.inputs == ("image",)
    assert [op.outputs[0] for op in graph.ops] == [
        "stem",
        "branch",
        "total",
        "average",
        "scores",
        "class",
    ]


def test_layers_of_a_model_inside_a_model_keep_their_names(models):
    graph = read_tflite(converted(models, "nested.keras"), "nested")

    assert [op.outputs[0] for op in graph.ops] == ["rectified", "flat"]


def test_inputs_and_outputs_keep_their_order_and_names(models):
    graph = read_tflite(converted(models, "lists.keras"), "lists")

    assert (graph.inputs, graph.outputs) == (("left", "right"), ("first", "second"))


def test_outputs_given_as_a_dict_are_named_by_its_keys(models):
    graph = read_tflite(converted(models, "dict.keras"), "dict")

    assert graph.outputs == ("a", "b")


def test_an_operator_tflite_lacks_stays_for_the_importer_to_name(models):
    with pytest.raises(ModelError, match="Erfinv"):
        read_tflite(converted(models, "unsupported"), "unsupported")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("without_shape.keras", "ModelError", "no input shape"),
        ("open_shape.keras", "ModelError", "open shape (?, ?, ?, 3)"),
        ("open_shape", "ModelError", "open shape (?, ?, ?, 3)"),
        ("custom.keras", "InputError", "holds 'Custom'"),
        ("custom.h5", "InputError", "holds 'Custom'"),
        ("lambda.keras", "InputError", "holds a Lambda layer"),
        ("lambda.h5", "InputError", "holds a Lambda layer"),
        ("lambda_2.h5", "InputError", "holds a Lambda layer ('twice')"),
        ("only.weights.h5", "InputError", "holds weights without the model"),
        ("cut.h5", "InputError", "cannot be loaded, it is damaged"),
        ("activation.keras", "InputError", "holds 'doubled' (layers 'double')"),
        ("activation.h5", "InputError", "holds 'doubled' (layers 'double')"),
        ("fixed_batch.keras", "ModelError", "computes batches of 8 samples alone"),
        ("text.keras", "ModelError", "input 'words' of"),
        ("renamed.keras", "InputError", "zip archive without config.json"),
        ("masked.keras", "ModelError", "steps that are masked (layers 'masking')"),
        ("masked_values.keras", "ModelError", "steps that are masked (layers 'masking')"),
        ("mask_zero.keras", "ModelError", "steps that are masked (layers 'rows')"),
        ("stateful.keras", "ModelError", "keeps state between calls (layers 'gru'"),
        ("quantized.keras", "ModelError", "quantized by Keras (layers 'a', 'b')"),
        ("half_precision", "ModelError", "computes in float16"),
        ("mixed_2", "ModelError", "computes in float16"),
        ("no_signature", "InputError", "no signature serving_default"),
    ],
)
def test_a_model_that_cannot_be_converted_is_named_with_what_is_wrong(models, name, kind, said):
    report = error(models, name)

    assert report["error"] == kind
    assert str(models / name) in report["message"]
    assert said in report["message"]
    assert "\n" not in report["message"]


def test_the_words_of_a_library_are_notes_beside_the_message(models):
    with pytest.raises(InputError) as raised:
        convert_keras(models / "cut.h5")

    assert "truncated file" not in str(raised.value)
    assert "truncated file" in raised.value.__notes__[0]


def test_a_mask_that_no_layer_looks_at_changes_nothing(models):
    assert converted(models, "mask_unused.keras").startswith(b"TFL3", 4)


def test_a_function_without_a_signature_is_converted_where_it_is_the_only_one(models):
    graph = read_tflite(converted(models, "function"), "function")

    assert [type(op).__name__ for op in graph.ops] == ["Relu", "Mul"]


def test_conversion_is_the_same_in_a_process_of_its_own_and_says_nothing(models, capfd):
    data = convert_keras(models / "functional.keras")

    assert data == converted(models, "functional.keras")
    assert capfd.readouterr() == ("", "")


def test_an_error_of_the_converting_process_reaches_the_caller(models):
    with pytest.raises(ModelError, match="no input shape"):
        convert_keras(models / "without_shape.keras")


def test_the_calling_process_imports_no_tensorflow(models):
    code = f"""
import sys
from pathlib import Path
from tinyml.frontend.keras.convert import convert_keras
convert_keras(Path({str(models / "sequential.h5")!r}))
sys.exit("tensorflow" in sys.modules)
"""

    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("text.keras", b"hello", "expected a zip archive"),
        ("text.h5", b"hello", "expected an HDF5 file"),
        ("empty.keras", b"", "expected a zip archive"),
        ("empty", None, "folder without saved_model.pb"),
    ],
)
def test_what_is_no_model_is_refused_before_tensorflow_starts(tmp_path, name, content, said):
    path = tmp_path / name
    path.mkdir() if content is None else path.write_bytes(content)

    with pytest.raises(InputError, match=said):
        convert_keras(path)


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.keras does not exist"):
        convert_keras(tmp_path / "gone.keras")


def test_without_tensorflow_the_message_says_what_to_install(models, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # Python's own mark for "not importable"

    with pytest.raises(ToolchainError, match=r"pip install 'tinyml\[keras\]'"):
        convert_keras(models / "sequential.h5")


def test_recurrent_layers_become_operators_that_can_be_quantized(models):
    graph = read_tflite(converted(models, "recurrent.keras"), "recurrent")
    samples = [array[:, np.newaxis] for array in arrays(models, "recurrent.keras", "x")]

    quantized = quantize_graph(graph, calibrate(graph, samples, MinMax), Scheme())

    module = module_of(prepare_for_device(quantized), "recurrent", PORTABLE)
    assert not graph.states
    assert "tinyml_lookup_s8" in module.files["recurrent.c"]
