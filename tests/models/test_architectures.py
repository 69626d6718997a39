"""The networks are those of MLPerf Tiny: shapes, parameters and multiply-accumulates."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinyml.frontend.load import load_float
from tinyml.report.facts import ModelFacts, describe_model
from tinyml.train.loop import available_models

# TensorFlow cannot share a process with tflite-runtime.
pytestmark = pytest.mark.xdist_group("architectures")
REPOSITORY = Path(__file__).parents[2]

# Input shape, output shape, parameters, multiply-accumulates.
NETWORKS = {
    "keyword_spotting": ((49, 10, 1), (12,), 24_908, 2_656_768),
    "image_classification": ((32, 32, 3), (10,), 78_666, 12_501_632),
    "visual_wake_words": ((96, 96, 3), (2,), 221_794, 7_489_664),
    "anomaly_detection": ((640,), (640,), 269_992, 264_192),
    "streaming_wakeword": ((30, 1, 40), (3,), 47_707, 826_368),
}

BUILD = """
import importlib, json, sys
import keras, tensorflow as tf

facts = {}
for name in sys.argv[1:]:
    model = importlib.import_module(f"models.{name}").build()
    shapes = model.input_shape[1:], model.output_shape[1:]
    facts[name] = [*shapes, model.count_params(), model.name]
    image = keras.Input(batch_shape=(1, *model.input_shape[1:]))
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, model(image)))
    with open(f"{name}.tflite", "wb") as file:
        file.write(converter.convert())
with open("facts.json", "w") as file:
    json.dump(facts, file)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with the untrained networks as float .tflite, and facts.json."""
    folder = tmp_path_factory.mktemp("networks")
    subprocess.run(
        [sys.executable, "-c", BUILD, *NETWORKS],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "CUDA_VISIBLE_DEVICES": "-1"},
        capture_output=True,
        check=True,
    )
    return folder


@pytest.fixture(scope="module")
def facts(built) -> dict[str, ModelFacts]:
    return {name: describe_model(load_float(built / f"{name}.tflite")) for name in NETWORKS}


def operators(facts: ModelFacts) -> list[str]:
    return [layer.operator for layer in facts.layers]


@pytest.mark.parametrize("name", NETWORKS)
def test_shapes_and_parameters_are_those_of_the_benchmark(built, name):
    source, result, parameters, _ = NETWORKS[name]

    found = json.loads((built / "facts.json").read_text())[name]

    assert found == [list(source), list(result), parameters, name]


@pytest.mark.parametrize("name", NETWORKS)
def test_multiply_accumulates_are_those_of_the_benchmark(facts, name):
    assert facts[name].macs == NETWORKS[name][3]


@pytest.mark.parametrize(
    ("name", "convolutions", "depthwise", "additions"),
    [
        ("keyword_spotting", 5, 4, 0),
        ("image_classification", 9, 0, 3),
        ("visual_wake_words", 14, 13, 0),
        ("streaming_wakeword", 4, 4, 0),
    ],
)
def test_convolutions_are_as_many_as_in_the_benchmark(
    facts, name, convolutions, depthwise, additions
):
    found = operators(facts[name])

    assert found.count("CONV_2D") == convolutions
    assert found.count("DEPTHWISE_CONV_2D") == depthwise
    assert found.count("ADD") == additions
    assert found[-2:] == ["FULLY_CONNECTED", "SOFTMAX"]


def test_the_autoencoder_is_ten_dense_layers(facts):
    assert operators(facts["anomaly_detection"]) == ["FULLY_CONNECTED"] * 10


def test_every_network_can_be_named_and_helpers_cannot():
    assert {*NETWORKS, "digits"} <= available_models().keys()
    assert "shared" not in available_models()
    assert "layers" not in available_models()
