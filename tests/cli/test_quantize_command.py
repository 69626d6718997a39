import json
from pathlib import Path

import numpy as np
import pytest
from graphs import activation, float_constant, fully_connected, make_graph
from stateful import float_echo

from tinyml.export.tflite import write_tflite
from tinyml.frontend.load import load_model
from tinyml.ir.graph import DType, is_quantized
from tinyml.quantize.observers import ObserverKind

pytestmark = pytest.mark.usefixtures("workplace")

QUANTIZE = ("quantize", "float.tflite", "--data", "data.npz", "-o", "new.tflite")
WEIGHTS = ("conv/w", "dw/w")


@pytest.mark.parametrize("observer", [kind.value for kind in ObserverKind])
def test_quantize_writes_an_int8_model_with_every_observer(tinyml, observer):
    called = tinyml(*QUANTIZE, "--observer", observer)

    assert (called.code, called.err) == (0, "")
    assert is_quantized(load_model(Path("new.tflite")))
    assert "new.tflite" in called.out
    assert "12 samples" in called.out


def test_zeros_as_calibration_data_are_refused_and_nothing_is_written(tinyml):
    np.savez("zeros.npz", x=np.zeros((20, 6, 6, 2), np.float32))

    called = tinyml("quantize", "float.tflite", "--data", "zeros.npz", "-o", "new.tflite")

    assert called.code == 2
    assert "are 0 everywhere (20 samples), from which no ranges can be found" in called.err
    assert not Path("new.tflite").exists()


def test_one_number_as_calibration_data_is_warned_of(tinyml):
    np.savez("ones.npz", x=np.ones((20, 6, 6, 2), np.float32))

    called = tinyml("quantize", "float.tflite", "--data", "ones.npz", "-o", "new.tflite")

    assert called.code == 0
    assert called.err.startswith("warning: the calibration data of input 'image' are 1 everywhere")


def test_observers_find_different_ranges(tinyml):
    scales = []
    for observer in ("minmax", "moving-average", "percentile"):
        tinyml(*QUANTIZE, "--observer", observer, "--percentile", "90")
        scales.append(load_model(Path("new.tflite")).tensor("logits").scale)

    assert len(set(scales)) == 3


def test_quantize_gives_weights_a_scale_per_channel(tinyml):
    tinyml(*QUANTIZE)

    graph = load_model(Path("new.tflite"))
    assert [len(graph.tensor(name).quant.scale) for name in WEIGHTS] == [4, 4]


def test_quantize_gives_weights_one_scale_where_asked_to(tinyml):
    called = tinyml(*QUANTIZE, "--weights", "per-tensor")

    graph = load_model(Path("new.tflite"))
    assert called.code == 0
    assert [len(graph.tensor(name).quant.scale) for name in WEIGHTS] == [1, 1]


def test_quantize_writes_a_16x8_model_where_asked_to(tinyml):
    called = tinyml(*QUANTIZE, "--activations", "int16")

    graph = load_model(Path("new.tflite"))
    assert called.code == 0
    assert {graph.tensor(name).dtype for name in (*graph.inputs, *graph.outputs)} == {DType.INT16}
    assert {graph.tensor(name).dtype for name in WEIGHTS} == {DType.INT8}


def test_quantize_takes_calibration_data_under_the_inputs_name(tinyml):
    np.savez("named.npz", image=np.load("x.npy"))

    tinyml(*QUANTIZE)
    called = tinyml("quantize", "float.tflite", "--data", "named.npz", "-o", "same.tflite")

    assert called.code == 0
    assert Path("same.tflite").read_bytes() == Path("new.tflite").read_bytes()


def test_quantize_replaces_an_older_output_and_makes_its_folder(tinyml):
    first = tinyml(*QUANTIZE[:-1], "deep/er/new.tflite")
    second = tinyml(*QUANTIZE[:-1], "deep/er/new.tflite")

    assert (first.code, second.code) == (0, 0)
    assert [path.name for path in Path("deep/er").iterdir()] == ["new.tflite"]


def write_difference(path: str, data: str) -> None:
    """Two inputs times 1000, one less the other, and samples in which both are nearly equal.

    The outputs are so small beside the products that 16x8 has no multiplier for them.
    """
    weights = [float_constant("w", np.array([[1000, -1000]])), float_constant("b", [0.0])]
    tensors = [activation("x", (1, 2), None), *weights, activation("y", (1, 1), None)]
    graph = make_graph(tensors, [fully_connected("y", "x", "w", "b")], ["x"], ["y"])
    Path(path).write_bytes(write_tflite(graph))
    x = np.random.default_rng(0).uniform(-1, 1, (20, 1, 1)).astype(np.float32)
    np.savez(data, x=np.concatenate([x, x * np.float32(1 + 2e-7)], axis=2))


def test_what_could_not_be_built_is_refused_with_what_can_be_and_nothing_is_written(tinyml):
    write_difference("difference.tflite", "close.npz")
    quantize = ("quantize", "difference.tflite", "--data", "close.npz", "-o", "new.tflite")

    called = tinyml(*quantize, "--activations", "int16")

    assert called.code == 2
    assert called.err.startswith(
        "error: 'difference.tflite' in int16 could not be built, and nothing is written; "
        "'--activations int8' makes one that can be: "
    )
    assert "FULLY_CONNECTED 'y': output 'y' has scale" in called.err
    assert not Path("new.tflite").exists()


def test_what_the_refusal_names_can_be_built(tinyml):
    write_difference("difference.tflite", "close.npz")
    quantize = ("quantize", "difference.tflite", "--data", "close.npz", "-o", "new.tflite")

    assert tinyml(*quantize, "--activations", "int8").code == 0
    assert tinyml("build", "new.tflite", "--board", "host", "-o", "firmware").code == 0


def test_float_state_is_refused_and_nothing_is_written(tinyml):
    Path("echo.tflite").write_bytes(write_tflite(float_echo()))
    np.savez("steps.npz", x=np.ones((3, 1, 4), np.float32))

    called = tinyml("quantize", "echo.tflite", "--data", "steps.npz", "-o", "new.tflite")

    assert called.code == 2
    assert "a model that keeps float state cannot be quantized here" in called.err
    assert not Path("new.tflite").exists()


def test_methods_say_what_they_changed_layer_by_layer(tinyml):
    called = tinyml(*QUANTIZE, "--method", "bias-correction, equalize", "--weight-bits", "4")

    assert (called.code, called.err) == (0, "")
    lines = called.out.splitlines()
    assert lines[0] == "equalize: 0 layers"  # the convolution has two readers
    assert lines[1] == "bias-correction: 3 layers"
    assert lines[3].startswith("  small/depthwise: mean error ")


def test_weights_of_four_bits_are_that_small_but_for_depthwise_filters(tinyml):
    tinyml(*QUANTIZE, "--weight-bits", "4")

    graph = load_model(Path("new.tflite"))
    assert np.abs(graph.tensor("conv/w").constant).max() == 7
    assert np.abs(graph.tensor("dw/w").constant).max() == 127


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--weights", "affine"), "the device's kernels multiply weights without a zero point"),
        (("--method", "equalise"), "no method 'equalise': did you mean 'equalize'?"),
        (("--percentile", "20", "--observer", "percentile"), "the percentile is 20"),
    ],
)
def test_choices_that_make_no_sense_are_refused_and_nothing_is_written(tinyml, options, complaint):
    called = tinyml(*QUANTIZE, *options)

    assert called.code == 2
    assert complaint in called.err
    assert not Path("new.tflite").exists()


def test_ranges_are_saved_edited_and_taken_again_without_data(tinyml):
    tinyml(*QUANTIZE, "--save-ranges", "ranges.json")
    first = Path("new.tflite").read_bytes()

    again = ("quantize", "float.tflite", "--ranges-from", "ranges.json", "-o", "new.tflite")
    called = tinyml(*again)
    same = Path("new.tflite").read_bytes()
    content = json.loads(Path("ranges.json").read_text())
    content["ranges"]["logits"] = [-100, 100]
    Path("ranges.json").write_text(json.dumps(content))
    tinyml(*again)

    assert (called.code, called.err) == (0, "")
    assert same == first
    assert load_model(Path("new.tflite")).tensor("logits").scale == pytest.approx(200 / 255)


def test_without_data_and_ranges_the_usage_is_shown(tinyml):
    called = tinyml("quantize", "float.tflite", "-o", "new.tflite")

    assert called.code == 2
    assert "give a representative dataset (--data), or --ranges-from" in called.err


def test_a_broken_ranges_file_is_refused_before_the_model_is_read(tinyml):
    Path("ranges.json").write_text('{"samples": 1, "ranges": {"logits": [1, 0]}}')

    called = tinyml("quantize", "none.tflite", "--ranges-from", "ranges.json", "-o", "new.tflite")

    assert called.code == 2
    assert "range of tensor 'logits' is [1, 0], expected the smaller number first" in called.err


LAYERS = """
[[layer]]
name = "small/depthwise"
bits = 4
activations = "int16"

[[layer]]
name = "logits"
observer = "percentile"
"""


def test_layers_of_a_file_are_quantized_their_own_way_and_run_on_the_device(tinyml):
    Path("layers.toml").write_text(LAYERS)

    called = tinyml(*QUANTIZE, "--layers", "layers.toml", "--percentile", "60")
    compared = tinyml(
        *("compare", "new.tflite", "--data", "data.npz", "--board", "host"),
        *("--reference", "float.tflite"),
    )

    graph = load_model(Path("new.tflite"))
    assert (called.code, called.err) == (0, "")
    assert np.abs(graph.tensor("dw/w").constant).max() == 7
    assert {t.dtype for t in graph.tensors.values()} >= {DType.INT8, DType.INT16}
    assert compared.code == 0
    assert "bytes that differ           0 of 36" in compared.out


def test_a_file_of_layers_that_fit_nothing_is_refused(tinyml):
    Path("layers.toml").write_text('[[layer]]\nname = "logit"\n')

    called = tinyml(*QUANTIZE, "--layers", "layers.toml")

    assert called.code == 2
    assert "no layer has a name that fits 'logit': did you mean 'logits'?" in called.err
    assert not Path("new.tflite").exists()
