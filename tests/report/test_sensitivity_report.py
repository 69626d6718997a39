"""What is said of a layer follows from what was measured of it."""

from dataclasses import replace

import pytest

from tinyml.ir.graph import DType
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.sensitivity import LayerSensitivity, Sensitivity
from tinyml.report.sensitivity import (
    advice,
    headings,
    layer_cells,
    sensitivity_json,
    summary_lines,
)

LAYER = LayerSensitivity(
    name="conv",
    operator="CONV_2D",
    weight_bits=8,
    weights_db=40.0,
    channel_ratio=1.5,
    is_one_scale=False,
    activations_db=35.0,
    clipped=0.001,
    clipping_error=0.1,
    peak_ratio=4.0,
    is_fixed=False,
    alone_db=20.0,
    alone_score=None,
    without_db=25.0,
    without_score=None,
)
RESULT = Sensitivity(
    samples=50,
    metric="accuracy",
    float_score=None,
    quantized_score=None,
    quantized_db=18.0,
    layers=(LAYER,),
)
WEAK_WEIGHTS = replace(LAYER, weights_db=18.0)
APART = replace(WEAK_WEIGHTS, channel_ratio=30.0, is_one_scale=True)
SIXTEEN = Scheme(activations=DType.INT16)


@pytest.mark.parametrize(
    ("layer", "scheme", "expected"),
    [
        (LAYER, Scheme(), "--activations int16: its values have 35.0 dB"),
        (LAYER, SIXTEEN, "--qat: "),
        (replace(LAYER, peak_ratio=40.0), Scheme(), "--observer percentile or --activations int16"),
        (replace(LAYER, peak_ratio=40.0), SIXTEEN, "--observer percentile: "),
        (replace(LAYER, clipping_error=0.8), Scheme(), "--observer minmax, or more calibration"),
        (replace(LAYER, clipping_error=0.8, is_fixed=True), Scheme(), "--activations int16: "),
        (WEAK_WEIGHTS, Scheme(), "--method adaround or --qat: the weights have 18.0 dB in 8 bits"),
        (replace(WEAK_WEIGHTS, weight_bits=4), Scheme(weight_bits=4), "8 bits for this layer"),
        (APART, Scheme(per_channel=False), "--weights per-channel: the range of a channel's"),
        (APART, Scheme(), "--method equalize: the range of a channel's weights is up to 30 times"),
        (replace(LAYER, alone_db=45.0), Scheme(), ""),
        (replace(LAYER, alone_db=33.0), Scheme(), ""),
    ],
)
def test_advice_is_what_the_figures_point_to(layer, scheme, expected):
    said = advice(layer, RESULT, scheme)

    assert said.startswith(expected)
    assert bool(said) == bool(expected)


def test_a_layer_that_costs_accuracy_is_spoken_of_however_small_its_error():
    result = replace(RESULT, float_score=0.9, quantized_score=0.8)
    scored = replace(LAYER, alone_db=45.0, without_score=0.9)

    assert advice(replace(scored, alone_score=0.9), result, Scheme()) == ""
    assert advice(replace(scored, alone_score=0.88), result, Scheme()) != ""


def test_a_row_has_a_cell_for_each_heading_with_labels_and_without():
    scored = replace(RESULT, float_score=0.9, quantized_score=0.8)

    assert len(layer_cells(LAYER, RESULT)) == len(headings(RESULT))
    assert len(layer_cells(replace(LAYER, alone_score=0.5), scored)) == len(headings(scored))
    assert layer_cells(replace(LAYER, weights_db=None, clipped=None), RESULT)[2:5] == (
        "-",
        "35.0",
        "-",
    )


def test_the_json_has_every_figure_and_the_advice():
    values = sensitivity_json(RESULT, Scheme())

    assert values["quantized_db"] == 18.0
    assert values["layers"][0]["alone_db"] == 20.0
    assert values["layers"][0]["advice"].startswith("--activations int16")


def test_layers_that_are_not_shown_are_counted():
    result = replace(RESULT, layers=(LAYER,) * 5)

    lines = summary_lines(result, Scheme(), 2)

    assert lines[1] == "3 more layers are in the report"
    assert "18.0 dB of signal to error (50 samples)" in lines[2]
    assert len(lines) == 5
