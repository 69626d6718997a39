"""The node tests that ship with onnx, through the script in benchmarks/ that counts them."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "onnx_node_tests.py"
# With onnx 1.23.2.
PASSING = 460


# The tests' own arithmetic overflows on purpose.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def outcomes() -> list[Any]:
    spec = importlib.util.spec_from_file_location("onnx_node_tests", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return [module.run_node_test(test) for test in module.node_tests()]


def test_no_node_test_gives_a_wrong_answer(outcomes):
    counts = Counter(outcome.verdict for outcome in outcomes)

    assert [outcome for outcome in outcomes if outcome.verdict == "wrong"] == []
    assert counts["passed"] >= PASSING


def test_every_refusal_is_a_sentence_about_the_model(outcomes):
    refusals = [outcome.reason for outcome in outcomes if outcome.verdict == "refused"]

    assert all(refusals)
    assert [reason for reason in refusals if "damaged" in reason] == []
