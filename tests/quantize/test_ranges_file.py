import json
from dataclasses import replace
from pathlib import Path

import pytest
from separable import images, separable

from tinyml.errors import InputError
from tinyml.quantize.calibrate import CalibrationTable, calibrate
from tinyml.quantize.ranges_file import read_ranges, write_ranges
from tinyml.quantize.recipe import Recipe, calibrate_by

TABLE = CalibrationTable({"x": (-1.5, 2.0), "y": (0.0, 1e-3)}, 12, frozenset({"z"}), {"y": 0.5})


def test_what_was_written_is_read(tmp_path):
    write_ranges(tmp_path / "r.json", TABLE, ["equalize"])

    saved = read_ranges(tmp_path / "r.json")

    assert saved.table == TABLE
    assert saved.after == ("equalize",)


def test_each_tensor_has_a_line(tmp_path):
    write_ranges(tmp_path / "r.json", TABLE)

    assert '    "x": [-1.5, 2.0],' in (tmp_path / "r.json").read_text().splitlines()


def change(path: Path, **ranges) -> Path:
    """Write the ranges of a calibration with these in place of its own; None leaves one out."""
    write_ranges(path, calibrate(separable(), images(4)))
    content = json.loads(path.read_text())
    content["ranges"] |= ranges
    content["ranges"] = {n: ends for n, ends in content["ranges"].items() if ends is not None}
    path.write_text(json.dumps(content))
    return path


def taken(path: Path, **recipe) -> CalibrationTable:
    return calibrate_by(Recipe(**recipe), separable(), saved=read_ranges(path)).table


def test_saved_ranges_take_the_place_of_samples(tmp_path):
    assert taken(change(tmp_path / "r.json")) == calibrate(separable(), images(4))


def test_an_edited_range_is_taken(tmp_path):
    assert taken(change(tmp_path / "r.json", conv=[0, 3])).ranges["conv"] == (0.0, 3.0)


@pytest.mark.parametrize(
    ("ranges", "complaint"),
    [
        ({"conv": [3, 0]}, "range of tensor 'conv' is [3, 0], expected the smaller number first"),
        ({"conv": [0]}, "range of tensor 'conv' is [0], expected two numbers [low, high]"),
        ({"conv": ["0", 1]}, "range of tensor 'conv' is [\"0\", 1], expected two numbers"),
        ({"conv": [False, 1]}, "range of tensor 'conv' is [false, 1], expected two numbers"),
        ({"conv": [0, float("nan")]}, "'conv' is [0, nan], expected finite float32 numbers"),
        ({"conv": [0, float("inf")]}, "'conv' is [0, inf], expected finite float32 numbers"),
        ({"conv": [0, 1e39]}, "'conv' is [0, 1e+39], expected finite float32 numbers"),
        ({"konv": [0, 1]}, "has a range for tensor 'konv', which 'separable' does not have; did "),
        ({"conv": None}, "has no range for tensor 'conv'; add it as [low, high]"),
    ],
)
def test_a_wrong_range_is_refused_with_its_tensor(tmp_path, ranges, complaint):
    with pytest.raises(InputError) as refusal:
        taken(change(tmp_path / "r.json", **ranges))

    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "is no JSON ("),
        ("[]", "holds no JSON object, expected one with 'ranges'"),
        ("{}", "key 'samples' is missing, expected"),
        ('{"samples": 1}', "key 'ranges' is missing, expected a table by name"),
        ('{"samples": "1", "ranges": {}}', "key 'samples' is '1', expected an integer"),
        ('{"samples": 1, "ranges": {}, "rnages": {}}', "key 'rnages' is unknown: did you mean"),
        ('{"samples": 1, "ranges": 3}', "key 'ranges' is 3, expected a table by name"),
        ("\udcff", "is no JSON ("),
    ],
)
def test_a_malformed_file_is_refused(tmp_path, text, complaint):
    path = tmp_path / "r.json"
    path.write_bytes(text.encode(errors="surrogateescape"))

    with pytest.raises(InputError) as refusal:
        read_ranges(path)

    assert complaint in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_ranges(tmp_path / "none.json")


def test_methods_ask_for_samples_all_the_same(tmp_path):
    with pytest.raises(InputError, match="samples are needed, for the methods bias-correction"):
        taken(change(tmp_path / "r.json"), methods=("bias-correction",))


def test_ranges_of_other_weights_are_refused(tmp_path):
    saved = read_ranges(change(tmp_path / "r.json"))

    with pytest.raises(InputError, match="found after no method, but now it is equalize"):
        calibrate_by(Recipe(methods=("equalize",)), separable(), images(4), saved=saved)


def test_ranges_of_an_equalized_model_are_taken_with_the_same_method(tmp_path):
    recipe = Recipe(methods=("equalize", "bias-correction"))
    first = calibrate_by(recipe, separable(), images(4))
    write_ranges(tmp_path / "r.json", first.table, first.after)

    again = calibrate_by(recipe, separable(), images(4), saved=read_ranges(tmp_path / "r.json"))

    assert again.table == replace(first.table, warnings=())
    assert again.graph == first.graph
