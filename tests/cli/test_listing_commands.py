"""ops, boards and doctor: what there is to work with."""

import json
import re
from pathlib import Path

import pytest
from command_helpers import folder_with_tools

from tinyml.firmware.boards import list_boards
from tinyml.ops.contract.registry import operators_by_opcode
from tinyml.report.operators import HEADINGS, operator_rows

pytestmark = pytest.mark.usefixtures("workplace")

PROGRAMS = ("arm-none-eabi-gcc", "qemu-system-arm", "gcc")


def test_ops_lists_every_supported_operator_with_its_dtypes_and_kernels(tinyml):
    called = tinyml("ops")

    head, *lines = called.out.splitlines()
    cells = [tuple(re.split(r" {2,}", line)) for line in lines]
    assert (called.code, called.err) == (0, "")
    assert re.split(r" {2,}", head) == list(HEADINGS)
    assert cells == operator_rows()
    assert sorted(", ".join(row[0] for row in cells).split(", ")) == sorted(operators_by_opcode())


def test_ops_writes_what_it_knows_of_each_operator_as_json(tinyml):
    tinyml("ops", "--json", "ops.json")

    facts = json.loads(Path("ops.json").read_text())["operators"]
    (add,) = (entry for entry in facts if entry["names"] == ["ADD"])
    assert add["dtypes"] == ["float32", "int8", "int16", "int32"]
    assert add["kernels"][0] == {
        "name": "arm_elementwise_add_s8",
        "source": "CMSIS-NN",
        "dtypes": ["int8"],
        "cores": ["scalar", "dsp", "mve"],
    }
    assert {kernel["source"] for kernel in add["kernels"]} == {"CMSIS-NN", "tinyml"}
    assert add["onnx_types"] == ["Add", "HardSigmoid", "Sum"]


def test_boards_lists_every_board(tinyml):
    called = tinyml("boards")

    assert called.code == 0
    assert [line.split()[0] for line in called.out.splitlines()[1:]] == list(list_boards())


def test_doctor_finds_everything_where_everything_is_installed(tinyml):
    called = tinyml("doctor")

    assert (called.code, called.err) == (0, "")
    assert all(line.startswith("ok ") for line in called.out.splitlines())


@pytest.mark.parametrize("missing", PROGRAMS)
def test_doctor_names_what_is_missing_and_how_to_install_it(tinyml, tmp_path, monkeypatch, missing):
    rest = [program for program in PROGRAMS if program != missing]
    monkeypatch.setenv("PATH", folder_with_tools(tmp_path / "bin", rest))

    called = tinyml("doctor")

    assert called.code == 3
    assert called.err == f"needed and not there: {missing}\n"
    assert "apt install" in next(line for line in called.out.splitlines() if "MISSING" in line)


def test_doctor_passes_without_a_program_that_only_stand_in_data_needs(
    tinyml, tmp_path, monkeypatch
):
    monkeypatch.setenv("PATH", folder_with_tools(tmp_path / "bin", PROGRAMS))

    called = tinyml("doctor")

    assert (called.code, called.err) == (0, "")
    (line,) = (line for line in called.out.splitlines() if "espeak-ng" in line)
    assert line.startswith("absent")
    assert "apt install espeak-ng" in line


def test_doctor_lists_everything_that_is_missing(tinyml, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    called = tinyml("doctor")

    assert called.code == 3
    assert called.err == f"needed and not there: {', '.join(PROGRAMS)}\n"
