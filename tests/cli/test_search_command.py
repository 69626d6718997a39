import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import numpy as np
import pytest
from command_helpers import change_tflite, make_unsupported
from digits import REPOSITORY

from tinyml.frontend.load import load_model
from tinyml.pipeline import plan_model
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.search.options import whole_model_recipes
from tinyml.search.trial import memory_of

pytestmark = pytest.mark.usefixtures("workplace")

SEARCH = ("search", "float.tflite", "--data", "data.npz", "--jobs", "1")
# Nothing is lost that is allowed.
ANY = ("--max-accuracy-drop", "100")
EIGHT, FOUR = Recipe(), Recipe(scheme=Scheme(weight_bits=4))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few schemes for all layers alike, for tests that do not ask which."""
    monkeypatch.setattr("tinyml.search.search.whole_model_recipes", lambda: iter([EIGHT, FOUR]))


def fingerprints(path: str = "float.search.jsonl") -> list[str]:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    return [json.loads(line)["fingerprint"] for line in lines]


@pytest.mark.usefixtures("few")
def test_a_search_prints_the_frontier_and_the_command_that_makes_what_it_recommends(tinyml):
    called = tinyml(*SEARCH, *ANY, "--json", "s.json")

    result = json.loads(Path("s.json").read_text())
    (best,) = (trial for trial in result["trials"] if trial["is_recommended"])
    assert (called.code, called.err) == (0, "")
    assert called.out.rstrip().endswith(result["command"])
    assert "->" in called.out
    remade = tinyml(*shlex.split(result["command"])[1:])
    assert remade.code == 0
    written = Path("float.int8.tflite")
    assert written.stat().st_size == best["file_bytes"]
    flash_and_ram = memory_of(plan_model(load_model(written)), None)
    assert flash_and_ram == (best["flash_bytes"], best["ram_bytes"])
    # One line has the order of the layers.
    assert len(set(fingerprints())) == len(fingerprints()) == len(result["trials"]) + 1


@pytest.mark.usefixtures("few")
def test_layers_with_choices_of_their_own_are_in_a_file_that_the_command_takes(tinyml, monkeypatch):
    monkeypatch.setattr("tinyml.cli.search.recommended", lambda trials, _: trials[2])

    called = tinyml(*SEARCH, *ANY, "-o", "found", "--json", "s.json")

    result = json.loads(Path("s.json").read_text())
    best = result["trials"][2]
    assert called.code == 0
    assert best["layers"] == tomllib.loads(Path("found/float.layers.toml").read_text())["layer"]
    assert result["command"].endswith("--layers found/float.layers.toml")
    assert tinyml(*shlex.split(result["command"])[1:]).code == 0
    flash_and_ram = memory_of(plan_model(load_model(Path("float.int8.tflite"))), None)
    assert flash_and_ram == (best["flash_bytes"], best["ram_bytes"])


@pytest.mark.usefixtures("few")
def test_the_same_search_again_does_nothing_anew(tinyml):
    first = tinyml(*SEARCH, *ANY)
    journal = Path("float.search.jsonl").read_bytes()

    again = tinyml(*SEARCH, *ANY)

    assert again.out == first.out
    assert Path("float.search.jsonl").read_bytes() == journal


def test_a_search_that_was_killed_goes_on_with_nothing_lost_and_nothing_twice(tinyml):
    command = [sys.executable, "-m", "tinyml", *SEARCH, *ANY]
    with subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while len(fingerprints()) < 2 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    before = fingerprints()
    assert 2 <= len(before) < len(list(whole_model_recipes()))

    called = tinyml(*SEARCH, *ANY, "--json", "s.json")

    trials = json.loads(Path("s.json").read_text())["trials"]
    assert called.code == 0
    assert fingerprints()[: len(before)] == before
    assert len(set(fingerprints())) == len(fingerprints()) == len(trials) + 1


@pytest.mark.usefixtures("few")
def test_an_interrupted_search_says_how_to_go_on(tinyml, monkeypatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyml.cli.search.search", interrupt)

    called = tinyml(*SEARCH, *ANY)

    assert called.code == 130
    assert "finished trials are in float.search.jsonl: the same command goes on" in called.err


@pytest.mark.usefixtures("few")
def test_a_budget_that_cannot_be_met_gives_the_nearest_and_exits_with_1(tinyml):
    called = tinyml(*SEARCH, *ANY, "--max-ram", "10")

    taken = re.search(r"it takes (\d+) bytes of RAM, allowed are 10", called.out)
    assert called.code == 1
    assert "no scheme keeps all limits" in called.out
    assert int(taken.group(1)) > 10
    assert "nearest:\ntinyml quantize" in called.out


@pytest.mark.usefixtures("few")
def test_a_boards_memory_is_a_limit(tinyml):
    called = tinyml(*SEARCH, *ANY, "--board", "microbit", "--json", "s.json")

    result = json.loads(Path("s.json").read_text())
    assert called.code == 0
    assert (result["max_flash"], result["max_ram"]) == (262_144, 16_384)
    assert "the whole image on microbit" in called.out


@pytest.mark.usefixtures("few")
def test_samples_without_labels_are_judged_by_floats_classes(tinyml):
    np.savez("plain.npz", x=np.load("x.npy"))

    called = tinyml(*SEARCH[:3], "plain.npz", *ANY)

    assert called.code == 0
    assert "12 samples without labels, judged by the share in the float model's class" in called.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--max-accuracy-drop", "-1"), "Invalid value for '--max-accuracy-drop'"),
        ((*ANY, "--board", "mikrobit"), "there is no board 'mikrobit'"),
        ((*ANY, "--test", "missing.npz"), "missing.npz"),
        ((*ANY, "--max-flash", "0"), "Invalid value for '--max-flash'"),
        ((*ANY, "--journal", "."), "is a folder"),
        ((*ANY, "--output", "x.npy"), "a file stands where a folder is needed"),
        ((), "Missing option '--max-accuracy-drop'"),
    ],
)
def test_wrong_options_are_refused_in_a_sentence(tinyml, options, message):
    called = tinyml(*SEARCH, *options)

    assert called.code == 2
    assert message in called.err
    assert not Path("float.search.jsonl").exists()


def test_calibration_data_that_cannot_be_meant_are_refused_before_any_trial(tinyml):
    np.savez("zeros.npz", x=np.zeros((20, 6, 6, 2), np.float32))

    called = tinyml(*SEARCH[:3], "zeros.npz", *ANY)

    assert called.code == 2
    assert "are 0 everywhere (20 samples)" in called.err
    assert not Path("float.search.jsonl").exists()


def test_a_model_that_no_scheme_can_build_is_refused_with_the_reason(tinyml):
    change_tflite("float.tflite", "open.tflite", make_unsupported)

    called = tinyml("search", "open.tflite", *SEARCH[2:], *ANY)

    assert called.code == 2
    assert "is not supported" in called.err


def test_a_quantized_model_is_refused(tinyml):
    called = tinyml("search", "int8.tflite", *SEARCH[2:], *ANY)

    assert called.code == 2
    assert "is quantized already" in called.err


def test_a_damaged_journal_is_refused_by_its_line(tinyml):
    Path("float.search.jsonl").write_text("nonsense\n")

    called = tinyml(*SEARCH, *ANY)

    assert called.code == 2
    assert "line 1 of the journal 'float.search.jsonl' is no trial of a search" in called.err
