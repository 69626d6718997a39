"""Where accuracy goes, for a person and as JSON: the layers, and what to try of which."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tinyml.codegen.program import short_name
from tinyml.data.metrics import EXACT, Metric
from tinyml.ir.graph import DType
from tinyml.quantize.scheme import Scheme
from tinyml.quantize.sensitivity import LayerSensitivity, Sensitivity

# A layer that makes less of the whole error than this, in decibels below it, is not worth a try.
MINOR_DB = 13.0  # a twentieth
# Nor is one that leaves an error of a hundredth, as long as no sample is judged otherwise for it.
GOOD_DB = 40.0
# Of a Gaussian the largest of a thousand values is 3.3 times the root mean square.
LONG_TAIL = 12.0
# Channels this far apart leave the median one a quarter of the steps it could have.
APART = 4.0
# Share of the error from which on it is what is cut off that hurts, and not the steps.
MOSTLY_CUT = 0.5

UNITS = (
    "signal to error in dB; alone: the output with this layer alone quantized, others: with all "
    "but this one"
)


def sensitivity_json(result: Sensitivity, scheme: Scheme) -> dict[str, Any]:
    """The fields as plain values, and what to try of each layer."""
    layers = [{**asdict(layer), "advice": advice(layer, result, scheme)} for layer in result.layers]
    return {**asdict(result), "layers": layers}


def headings(result: Sensitivity) -> tuple[str, ...]:
    """Of ``layer_cells``; the first two are text, the others numbers."""
    names = ("layer", "operator", "weights", "activations", "cut off %", "alone", "others")
    return names if result.float_score is None else (*names, "alone %", "others %")


def layer_cells(layer: LayerSensitivity, result: Sensitivity) -> tuple[str, ...]:
    """One layer's row."""
    cells = (
        short_name(layer.name),
        layer.operator,
        _number(layer.weights_db),
        _number(layer.activations_db),
        "-" if layer.clipped is None else f"{100 * layer.clipped:.2f}",
        _number(layer.alone_db),
        _number(layer.without_db),
    )
    if result.float_score is None:
        return cells
    return (*cells, *(f"{100 * (s or 0):.2f}" for s in (layer.alone_score, layer.without_score)))


def summary_lines(result: Sensitivity, scheme: Scheme, shown: int) -> list[str]:
    """What all layers cost together, and below that what to try of the first ``shown``."""
    scores = ""
    if result.float_score is not None:
        label = Metric(result.metric).label
        scores = (
            f", {label} {_percent(result.quantized_score)}, float {_percent(result.float_score)}"
        )
    more = len(result.layers) - shown
    advised = ((layer, advice(layer, result, scheme)) for layer in result.layers[:shown])
    total = f"{_db(result.quantized_db)} of signal to error{scores} ({result.samples} samples)"
    return [
        UNITS,
        *([f"{more} more layers are in the report"] if more > 0 else []),
        f"all quantized: {total}",
        *(f"{short_name(layer.name)}: try {text}" for layer, text in advised if text),
    ]


def advice(layer: LayerSensitivity, result: Sensitivity, scheme: Scheme) -> str:
    """What to try of a layer, from what was measured; empty where it costs next to nothing."""
    if not _is_costly(layer, result):
        return ""
    weights, activations = layer.weights_db, layer.activations_db
    if weights is not None and (activations is None or weights < activations):
        return _advice_on_weights(layer, scheme)
    return "" if activations is None else _advice_on_activations(layer, scheme)


def _is_costly(layer: LayerSensitivity, result: Sensitivity) -> bool:
    scores = layer.alone_score, result.float_score
    is_worse = scores[0] is not None and scores[1] is not None and scores[0] < scores[1]
    return is_worse or layer.alone_db < min(GOOD_DB, result.quantized_db + MINOR_DB)


def _advice_on_weights(layer: LayerSensitivity, scheme: Scheme) -> str:
    measured = f"the weights have {_db(layer.weights_db)} in {layer.weight_bits} bits"
    if layer.channel_ratio is not None and layer.channel_ratio >= APART and layer.is_one_scale:
        apart = f"the range of a channel's weights is up to {layer.channel_ratio:.0f} times the "
        way_out = "--method equalize" if scheme.per_channel else "--weights per-channel"
        return f"{way_out}: {apart}median channel's, and all share one scale"
    if layer.weight_bits is not None and layer.weight_bits < 8:
        return f"8 bits for this layer (--layers), --method adaround or --qat: {measured}"
    return f"--method adaround or --qat: {measured}"


def _advice_on_activations(layer: LayerSensitivity, scheme: Scheme) -> str:
    cut, share = layer.clipped or 0.0, layer.clipping_error or 0.0
    measured = f"its values have {_db(layer.activations_db)}"
    if share >= MOSTLY_CUT and not layer.is_fixed:
        return (
            "--observer minmax, or more calibration data: "
            f"{100 * cut:.2g} % of the values are cut off, and make {100 * share:.0f} % of the "
            "error"
        )
    finer = "" if scheme.activations is DType.INT16 else "--activations int16"
    if (layer.peak_ratio or 0) >= LONG_TAIL and not layer.is_fixed:
        tries = " or ".join(filter(None, ("--observer percentile", finer)))
        return (
            f"{tries}: {measured}, for the largest is {layer.peak_ratio or 0:.0f} times their "
            "root mean square"
        )
    return f"{finer or '--qat'}: {measured}"


def _db(decibels: float | None) -> str:
    number = _number(decibels)
    return number if number in {"-", "exact"} else f"{number} dB"


def _number(decibels: float | None) -> str:
    if decibels is None:
        return "-"
    return "exact" if decibels >= EXACT else f"{decibels:.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f} %"
