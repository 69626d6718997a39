"""A sample of the sweep of Keras' layers, and the page it writes; ``make soak`` runs all of it."""

import math
import re

import numpy as np
import pytest
from keras_layers.judge import Outcome, decibels
from keras_layers.page import PAGE, page
from keras_layers.stated import STATED
from keras_layers.table import EXCLUDED, settings, tried_layers
from keras_networks import LAYERS_FILE, convert_all, failures, judged

# One worker converts the sample once, in one process of TensorFlow.
pytestmark = pytest.mark.xdist_group("keras layers")

SAMPLE = ("Dense", "DepthwiseConv1D", "ReLU", "Cropping2D")
ROW = re.compile(r"\| (\w+) \| `(.*)` \| (works|fails|refused)(?:: |; )?(.*) \| (.*) \|")


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras_layers")
    convert_all(sample(), folder, processes=1)
    return folder


def sample() -> list[int]:
    """The first setting of each of a few layers."""
    layers = [setting.layer for setting in settings()]
    return [layers.index(layer) for layer in SAMPLE]


def test_settings_of_layers_give_the_bytes_of_the_reference_and_nearly_what_keras_does(converted):
    found = judged(sample(), converted, ["host"])

    assert not failures(found)
    assert [outcome.refusal for outcome in found] == [""] * len(SAMPLE)


def test_every_layer_of_keras_is_tried_or_has_a_reason_why_not(converted):
    names = set((converted / LAYERS_FILE).read_text(encoding="utf-8").split())

    new = sorted(names - tried_layers() - set(EXCLUDED))
    assert not new, (
        f"Keras has layers that are not tried: {', '.join(new)}; give each a setting in "
        "tests/conformance/keras_layers/ or a reason in EXCLUDED of table.py there, and run "
        "python tests/conformance/keras_networks.py"
    )
    assert not sorted((tried_layers() | set(EXCLUDED)) - names)
    assert not tried_layers() & set(EXCLUDED)


def test_no_two_settings_have_one_name():
    names = [setting.name for setting in settings()]

    assert len(set(names)) == len(names)


def test_the_page_is_as_the_script_writes_it():
    text = PAGE.read_text(encoding="utf-8")

    written = page([outcome_of(line) for line in text.splitlines() if ROW.fullmatch(line)])

    assert written == text, "run python tests/conformance/keras_networks.py"


def test_what_fails_on_the_page_is_stated():
    rows = map(ROW.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())

    assert not [row[0] for row in rows if row and row[3] == "fails" and not row[4]]


def outcome_of(line: str) -> Outcome:
    """What a line of the page says."""
    layer, text, result, why, measured = ROW.fullmatch(line.replace("\\|", "|")).groups()
    error = {"": None, "exact": math.inf}
    return Outcome(
        name=f"{layer}: {text}",
        refusal=why if result == "refused" else "",
        fault="stated" if result == "fails" else "",
        decibels=error[measured] if measured in error else float(measured),
    )


def test_what_is_stated_of_errors_is_of_settings_there_are():
    assert set(STATED) <= {setting.name for setting in settings()}
    assert all(reason for _, reason in STATED.values())


def test_decibels_are_the_power_of_the_signal_to_that_of_the_error():
    assert decibels(np.ones(4), np.full(4, 1.1)) == pytest.approx(20)
    assert decibels(np.ones(4), np.ones(4)) == math.inf


def test_a_crash_and_an_error_that_is_not_stated_are_failures():
    found = [Outcome("a", fault="ValueError"), Outcome("b", decibels=29.9), Outcome("c", "no")]

    assert failures(found) == ["a: ValueError", "b: 29.9 dB, expected at least 30"]
