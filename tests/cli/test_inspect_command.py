"""inspect: what is in a model, what of it cannot be used, and which boards it fits."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from command_helpers import change_tflite, folder_with_tools, make_unsupported, open_height
from graphs import activation, dequantize, float_weights, fully_connected, make_graph, quantize
from known_boards import WITH_MEMORY
from onnx import TensorProto, helper

from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board

pytestmark = pytest.mark.usefixtures("workplace")

NAMED_INPUT = "'image' int8 (1, 6, 6, 2)"


@pytest.fixture
def facts(tinyml):
    """Inspect a model and return what its JSON says."""

    def call(model: str) -> dict:
        called = tinyml("inspect", model, "--json", "facts.json")
        assert (called.code, called.err) == (0, "")
        return json.loads(Path("facts.json").read_text())

    return call


def write_onnx(path: str, *nodes: onnx.NodeProto, width: int | str = 4) -> None:
    """A model of float rows ``x``, whose output is the last node's."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, width])
    y = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)
    graph = helper.make_graph(nodes, "model", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)]), path)


# --------------------------------------------------------------------------- what is in a model


def test_it_shows_the_layers_of_an_int8_model_and_its_memory_plan(tinyml):
    called = tinyml("inspect", "int8.tflite")

    assert (called.code, called.err) == (0, "")
    assert "int8: int8, 9 operators" in called.out
    assert NAMED_INPUT in called.out
    assert "DEPTHWISE_CONV_2D" in called.out
    assert "all operators are supported" in called.out
    assert called.out.count("lower bound") == 3  # one plan per class of core


def test_it_writes_all_it_knows_as_json(facts):
    found = facts("int8.tflite")

    convolution = found["layers"][1]
    assert (found["precision"], found["complete"]) == ("int8", True)
    assert [layer["number"] for layer in found["layers"]] == list(range(1, 10))
    assert (convolution["operator"], convolution["dtype"]) == ("CONV_2D", "int8")
    assert convolution["macs"] == 6 * 6 * 4 * 3 * 3 * 2
    assert convolution["weight_bytes"] == 4 * 3 * 3 * 2 + 4 * 4
    assert found["macs"] == sum(layer["macs"] for layer in found["layers"])
    assert [plan["isa"] for plan in found["plans"]] == ["scalar", "dsp", "mve"]
    assert all(plan["arena_bytes"] >= plan["lower_bound"] for plan in found["plans"])
    assert (found["supported"], found["unsupported"]) == (True, [])


# --------------------------------------------------------------------------- boards


def test_every_board_has_its_needs_beside_what_it_has(tinyml):
    lines = tinyml("inspect", "int8.tflite").out.splitlines()

    rows = [line.split() for line in lines if line.split()[:1] and line.split()[0] in WITH_MEMORY]
    assert [row[0] for row in rows] == WITH_MEMORY
    for row in rows:
        flash, flash_there, ram, ram_there, *parts = (int(x.replace(",", "")) for x in row[2:])
        memory = load_board(row[0]).memory
        assert row[1] == "yes"
        assert (flash_there, ram_there) == (memory.flash.length, memory.ram.length)
        assert flash <= flash_there
        assert ram == sum(parts)  # arena, state, stack, firmware


@pytest.mark.parametrize("board", ["microbit", "mps3-an547"])
def test_a_board_takes_what_the_build_takes(tinyml, facts, board):
    (found,) = (entry for entry in facts("int8.tflite")["boards"] if entry["board"] == board)
    tinyml("build", "int8.tflite", "--board", board, "-o", "out", "--json", "built.json")

    built = json.loads(Path("built.json").read_text())
    vectors = 64 if load_board(board).memory.vectors is not None else 0  # in a memory of their own
    assert found["flash_bytes"] == built["image_flash_bytes"] - vectors
    assert found["ram_bytes"] == built["image_ram_bytes"] + found["stack_bytes"]
    assert found["arena_bytes"] == built["arena_bytes"]


@pytest.mark.parametrize("board", ["microbit", "stm32vldiscovery", "netduinoplus2"])
def test_a_model_fits_where_it_can_be_built(tinyml, facts, board):
    weights = float_weights("weights", (330, 400))
    tensors = [activation("x", (1, 400), None), activation("y", (1, 330), None), weights]
    graph = make_graph(tensors, [fully_connected("y", "x", "weights")], ["x"], ["y"], "wide")
    Path("wide.tflite").write_bytes(write_tflite(graph))
    (found,) = (entry for entry in facts("wide.tflite")["boards"] if entry["board"] == board)
    np.savez("cal.npz", x=np.random.default_rng(0).normal(size=(8, 400)).astype(np.float32))
    tinyml("quantize", "wide.tflite", "--data", "cal.npz", "-o", "int8.tflite")

    built = tinyml("build", "int8.tflite", "--board", board, "-o", "out")

    assert found["fits"] == (built.code == 0) == (board != "stm32vldiscovery")


def test_a_board_that_is_too_small_says_which_memory(tinyml):
    tensors = [activation("x", (1, 20_000)), activation("y", (1, 20_000), 0.01)]
    graph = make_graph(tensors, [quantize("y", "x")], ["x"], ["y"], "long")
    Path("long.tflite").write_bytes(write_tflite(graph))

    out = tinyml("inspect", "long.tflite").out

    assert re.search(r"microbit +no: RAM ", out)
    assert re.search(r"mps2-an385 +yes ", out)


def test_without_a_compiler_it_shows_the_rest_and_says_so(tinyml, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", folder_with_tools(tmp_path / "bin", ["gcc"]))

    called = tinyml("inspect", "int8.tflite", "--json", "facts.json")

    found = json.loads(Path("facts.json").read_text())
    assert called.code == 0
    assert "boards were not looked at: arm-none-eabi-gcc is not installed" in called.out
    assert (len(found["plans"]), found["boards"]) == (3, [])
    assert "apt install" in found["boards_refusal"]


# --------------------------------------------------------------------------- float models


def test_a_float_model_is_shown_with_the_command_that_quantizes_it(tinyml):
    called = tinyml("inspect", "float.tflite")

    assert (called.code, called.err) == (0, "")
    assert "float: float32, 9 operators" in called.out
    assert "tinyml quantize float.tflite --data CALIBRATION.npz" in called.out
    assert called.out.index("as int8:") < called.out.index("lower bound")


def test_a_float_model_takes_of_a_board_what_it_takes_when_it_is_quantized(tinyml, facts):
    quantized = tinyml("quantize", "float.tflite", "--data", "data.npz", "-o", "made.tflite")
    assert quantized.code == 0

    trial, real = facts("float.tflite"), facts("made.tflite")

    assert trial["plans"] == real["plans"]
    for first, second in zip(trial["boards"], real["boards"], strict=True):
        assert first["ram_bytes"] == second["ram_bytes"]
        assert abs(first["flash_bytes"] - second["flash_bytes"]) <= 64  # immediate constants


def test_what_cannot_be_quantized_of_a_float_model_is_listed(tinyml, facts):
    write_onnx(
        "pow.onnx",
        helper.make_node("Abs", ["x"], ["a"]),
        helper.make_node("Pow", ["a", "x"], ["e"]),
    )

    found = facts("pow.onnx")

    assert not found["supported"]
    assert [entry["name"] for entry in found["unsupported"]] == ["e"]
    assert all("is computed at run time" in entry["reason"] for entry in found["unsupported"])
    assert "#2" in tinyml("inspect", "pow.onnx").out


# --------------------------------------------------------------------------- unsupported


def test_all_unsupported_operators_are_listed_and_the_rest_is_shown(tinyml, facts):
    change_tflite("int8.tflite", "unsupported.tflite", make_unsupported)

    called, found = tinyml("inspect", "unsupported.tflite"), facts("unsupported.tflite")

    assert (called.code, called.err) == (0, "")
    assert NAMED_INPUT in called.out
    assert "it cannot be built:" in called.out
    assert "#3     UNIQUE 'small/depthwise' is not supported" in called.out
    assert "#9     CUSTOM Wavelet 'probabilities' is not supported" in called.out
    assert (found["complete"], found["supported"], found["boards"]) == (False, False, [])
    assert [entry["number"] for entry in found["unsupported"]] == [3, 9]
    assert [layer["macs"] for layer in found["layers"][:3]] == [0, 6 * 6 * 4 * 3 * 3 * 2, None]
    assert found["layers"][2]["output"] == "1x6x6x4"


def test_a_dynamic_shape_is_shown_beside_the_operators(facts):
    change_tflite("int8.tflite", "dynamic.tflite", open_height)

    found = facts("dynamic.tflite")

    assert len(found["layers"]) == 9
    assert [entry["number"] for entry in found["unsupported"]] == [None]
    assert "dynamic shape (?, ?, 6, 2)" in found["unsupported"][0]["reason"]


def test_a_tensor_of_an_unsupported_type_is_said_of_the_operators_that_use_it(facts):
    def change(model) -> None:
        (index,) = model.subgraphs[0].operators[2].outputs
        model.subgraphs[0].tensors[index].type = 5  # STRING

    change_tflite("int8.tflite", "text.tflite", change)

    found = facts("text.tflite")

    assert [entry["number"] for entry in found["unsupported"]] == [3, 4]
    assert all("has type STRING" in entry["reason"] for entry in found["unsupported"])
    assert found["layers"][2]["output"] is None


def test_control_flow_is_refused_beside_the_operators(facts):
    change_tflite("int8.tflite", "two.tflite", lambda m: m.subgraphs.append(m.subgraphs[0]))

    found = facts("two.tflite")

    assert len(found["layers"]) == 9
    assert "control flow is not supported" in found["unsupported"][0]["reason"]


def test_operators_of_the_wrong_dtype_are_all_listed(facts):
    tensors = [activation(name, (1, 4)) for name in ("x", "y", "z")]
    tensors += [activation("real", (1, 4), None), activation("other", (1, 4), None)]
    ops = [dequantize("real", "x"), quantize("y", "real"), dequantize("other", "y")]
    ops.append(quantize("z", "other"))
    Path("mixed.tflite").write_bytes(write_tflite(make_graph(tensors, ops, ["x"], ["z"])))

    found = facts("mixed.tflite")

    assert found["complete"]
    assert [entry["number"] for entry in found["unsupported"]] == [1, 2, 3, 4]
    assert found["plans"] == found["boards"] == []


def test_unsupported_nodes_of_an_onnx_model_are_listed_with_what_could_not_be_judged(tinyml):
    write_onnx(
        "some.onnx",
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Einsum", ["r"], ["e"], equation="ij->ji"),
        helper.make_node("Sigmoid", ["e"], ["s"]),
        helper.make_node("Det", ["s"], ["d"]),
    )

    called = tinyml("inspect", "some.onnx")

    assert (called.code, called.err) == (0, "")
    assert "some: float32, 4 operators" in called.out
    assert "input   'x' float32 (1, 4)" in called.out
    assert "#2     Einsum 'e': is not supported" in called.out
    assert "#4     Det 'd': is not supported" in called.out
    assert "#3: of a supported kind, but their inputs are not known" in called.out


def test_an_onnx_model_of_open_sizes_is_listed_by_its_kinds(facts):
    relu, det = helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Det", ["r"], ["d"])
    write_onnx("open.onnx", relu, det, width="width")

    found = facts("open.onnx")

    assert [layer["operator"] for layer in found["layers"]] == ["Relu", "Det"]
    assert [entry["number"] for entry in found["unsupported"]] == [None, 2]
    assert "dynamic shape (1, width)" in found["unsupported"][0]["reason"]


@pytest.mark.parametrize("content", [b"", b"no model", b"TFL3TFL3TFL3"])
def test_what_is_no_model_is_refused(tinyml, content):
    Path("bad.tflite").write_bytes(content)

    called = tinyml("inspect", "bad.tflite")

    assert (called.code, called.out) == (2, "")
    assert called.err.startswith("error: bad.tflite: ")


def test_a_pipe_that_closes_early_is_no_failure():
    command = f"{sys.executable} -m tinyml inspect int8.tflite | head -n 1"

    ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)

    assert (ran.stdout, ran.stderr) == ("int8: int8, 9 operators\n", "")
