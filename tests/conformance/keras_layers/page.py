"""The page of the documentation that says what becomes of each layer."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from keras_layers.judge import Outcome
from keras_layers.setting import Setting
from keras_layers.stated import reason
from keras_layers.table import EXCLUDED, FAMILIES

PAGE = Path(__file__).parents[3] / "docs" / "keras-layers.md"

INTRODUCTION = """\
# Layers of Keras

What becomes of every layer of Keras 3 that runs at inference, with the settings that were tried:
converted from a `.keras` file, quantized to int8 on 64 samples, and run on 16 of them by the
reference kernels, the host and an emulated board, which answer the same bytes. The last column is
the power of what Keras answers to that of the error against it, in decibels; an exact answer has
no error. Weights are drawn at random.

`python tests/conformance/keras_networks.py` writes this page, and `make soak` runs it. It fails
where anything crashes, a byte differs, or there are less than 30 dB (20 in networks of several
layers) and no reason is stated here.
"""

HEADING = "| layer | settings | result | dB |\n|---|---|---|---|"
LEFT_OUT = "| layer | why it is not tried |\n|---|---|"


def page(found: Sequence[Outcome]) -> str:
    """The page for all settings' outcomes."""
    by_name = {outcome.name: outcome for outcome in found}
    parts = [INTRODUCTION]
    for family, settings in FAMILIES.items():
        parts.append(f"## {family}\n\n{HEADING}\n{_lines(_rows(settings, by_name))}")
    excluded = (f"| {name} | {why} |" for name, why in sorted(EXCLUDED.items()))
    parts.append(f"## Not for inference\n\n{LEFT_OUT}\n{_lines(excluded)}")
    return "\n".join(parts)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _rows(settings: Sequence[Setting], by_name: Mapping[str, Outcome]) -> Iterator[str]:
    for setting in settings:
        outcome = by_name[setting.name]
        cells = (setting.layer, f"`{setting.text}`", _result(outcome), _decibels(outcome))
        yield "| " + " | ".join(_cell(text) for text in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _result(outcome: Outcome) -> str:
    if outcome.refusal:
        return f"refused: {outcome.refusal}"
    result, why = "fails" if outcome.fault else "works", reason(outcome.name)
    return f"{result}; {why}" if why else result


def _decibels(outcome: Outcome) -> str:
    if outcome.decibels is None or outcome.fault:
        return ""
    return "exact" if math.isinf(outcome.decibels) else f"{outcome.decibels:.0f}"
