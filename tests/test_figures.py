"""The figures of the digits model in README.md and docs/ are of one run of the script.

Training differs by some scans from machine to machine and instructions with the compiler, so that
no test can hold the numbers themselves: these hold which command made them, and that no two differ.
"""

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
README, COMMANDS, PICTURE = (ROOT / p for p in ("README.md", "docs/cli.md", "docs/result.svg"))


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("figures", ROOT / "scripts/update_figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def demo_report(script) -> dict[str, str]:
    return script.report_of(README.read_text(encoding="utf-8"))


def numbers(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]*\d|\d", text)


def test_the_command_of_the_report_is_the_last_one_of_make_demo(script):
    (found,) = script.SESSION.finditer(README.read_text(encoding="utf-8"))
    dry = subprocess.run(
        ["make", "-n", "--no-print-directory", "demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    last = dry.stdout.replace("\\\n", " ").splitlines()[-1]

    assert shlex.split(last)[1:-2] == shlex.split(found[1])  # without --json and its file


def test_the_report_has_every_row_and_says_what_it_was_made_with(script):
    text = README.read_text(encoding="utf-8")
    report = demo_report(script)

    assert list(report) == [
        "float32 accuracy",
        "int8 accuracy, reference",
        "int8 accuracy, device",
        "same class as float32",
        "bytes that differ",
        "instructions per inference",
        "flash",
        "RAM",
        "stack",
        "kernels",
    ]
    assert report["bytes that differ"] == "0 of 4,500"
    assert re.search(r"^Made with Python [\d.]+, TensorFlow [\d.]+ and QEMU [\d.]+\.$", text, re.M)


def test_the_sessions_of_the_commands_have_the_figures_of_the_report(script):
    report = demo_report(script)
    text = COMMANDS.read_text(encoding="utf-8")
    train, build, run = (session_of(script, text, name) for name in ("train", "build", "run"))

    assert re.search(r"^float accuracy +(.*)", train, re.M)[1] == report["float32 accuracy"]
    instructions = re.search(r"^instructions per inference +(.*)", run, re.M)[1]
    assert instructions == report["instructions per inference"]
    model = re.search(r"^model .*", build, re.M)[0]
    assert numbers(model) == [numbers(report[kind])[0] for kind in ("flash", "RAM")]


def session_of(script, text: str, name: str) -> str:
    """The last session of a command, the first being one that shows an error."""
    found = [s[0] for s in script.SESSION.finditer(text) if s[1].startswith(f"{name} ")]
    return found[-1]


def test_the_table_of_boards_has_the_figures_of_the_report(script):
    report = demo_report(script)
    (row,) = re.findall(r"^\| digits \| mps2-an386 \|.*", README.read_text(encoding="utf-8"), re.M)

    instructions, flash, ram, arena, stack = row.strip("| ").split(" | ")[3:]
    assert instructions == report["instructions per inference"]
    assert flash == numbers(report["flash"])[0]
    assert [ram, arena] == numbers(report["RAM"])
    assert stack == numbers(report["stack"])[0]


def test_the_picture_has_the_figures_of_the_report(script):
    drawn = PICTURE.read_text(encoding="utf-8")

    assert [line for line in script.summary_lines(demo_report(script)) if line not in drawn] == []


def test_no_page_has_another_accuracy_of_the_model(script):
    report = demo_report(script)
    pages = README.read_text(encoding="utf-8") + COMMANDS.read_text(encoding="utf-8")

    accuracies = set(re.findall(r"accuracy.* (\d+\.\d+ %)", pages))
    assert accuracies == {report["float32 accuracy"], report["int8 accuracy, device"]}


def test_a_session_gets_the_output_of_today(script, tmp_path):
    page = tmp_path / "page.md"
    command = "$ tinyml build digits.tflite --board nowhere -o firmware"
    page.write_text(f"Before.\n\n```\n{command}\nold output\n```\n\nAfter.\n")

    text = script.with_sessions(page, tmp_path)

    assert text.startswith(f"Before.\n\n```\n{command}\nerror: there is no board 'nowhere'")
    assert text.endswith("\n```\n\nAfter.\n")
    assert "old output" not in text


def test_a_wrong_answer_is_red_in_the_picture(script):
    report = dict.fromkeys(
        ("float32 accuracy", "int8 accuracy, device", "bytes that differ"), "some"
    )
    labels = np.arange(10)
    answers = np.where(labels == 3, 8, labels)

    drawn = script.picture(np.zeros((10, 8, 8, 1)), labels, answers, report)

    assert drawn.count(script.RIGHT) == 9
    assert f'style="fill:{script.WRONG}">8</text>' in drawn
