"""Everything a user can get wrong: one clear sentence, the right exit code, nothing written."""

import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from command_helpers import change_tflite, folder_with_tools, listing, make_unsupported, open_height
from graphs import activation, fully_connected, int8_weights, int32_bias, make_graph, relu

from tinyml.export.tflite import write_tflite

pytestmark = pytest.mark.usefixtures("workplace")

BOARD = ("--board", "mps2-an386")
BUILD = ("build", "int8.tflite", *BOARD, "-o", "out")
RUN = ("run", "int8.tflite", *BOARD, "--input", "x.npy", "-o", "y.npy")
COMPARE = ("compare", "int8.tflite", "--data", "data.npz", *BOARD, "--json", "c.json")
FLASH = ("flash", "int8.tflite", *BOARD)
EXPORT_C = ("export", "int8.tflite", "--format", "c", "-o", "c", *BOARD)
EXPORT_TFLITE = ("export", "int8.tflite", "--format", "tflite", "-o", "new.tflite")
EXPORT_ONNX = ("export", "int8.tflite", "--format", "onnx", "-o", "new.onnx")
INSPECT = ("inspect", "int8.tflite", "--json", "facts.json")
QUANTIZE = ("quantize", "float.tflite", "--data", "data.npz", "-o", "new.tflite")

INT8_ONLY = [BUILD, RUN, COMPARE, FLASH, EXPORT_C]
# All that refuse a model they cannot use; inspect shows what is in it.
STRICT = [*INT8_ONLY, EXPORT_TFLITE, EXPORT_ONNX, QUANTIZE]
EVERY = [*STRICT, INSPECT]
ON_A_BOARD = [BUILD, RUN, COMPARE, FLASH]
EMULATED = [RUN, COMPARE, FLASH]


def name_of(value: object) -> str | None:
    """A command's verb, and its format where it has one, as the name of a test."""
    if not isinstance(value, tuple) or len(value) < 4:
        return None
    return f"{value[0]} {value[3]}" if value[0] == "export" else value[0]


def with_model(command: tuple[str, ...], model: str) -> tuple[str, ...]:
    return (command[0], model, *command[2:])


def replaced(command: tuple[str, ...], option: str, value: str) -> tuple[str, ...]:
    """The command with another value of an option."""
    place = command.index(option) + 1
    return (*command[:place], value, *command[place + 1 :])


@pytest.fixture
def refuse(tinyml):
    """Call a command that must fail, and return what it says."""

    def call(*arguments: str, code: int = 2) -> str:
        before = listing(Path())
        called = tinyml(*arguments)
        assert called.code == code
        assert called.out == ""
        assert called.err.startswith("error: ")
        assert "Traceback" not in called.err
        assert "should not" not in called.err
        assert listing(Path()) == before
        return called.err

    return call


# --------------------------------------------------------------------------- models


@pytest.fixture
def bad_models(workplace) -> None:
    """Files that are no model, or none that tinyml can use."""
    del workplace  # it made the folder current
    data = Path("int8.tflite").read_bytes()
    Path("cut.tflite").write_bytes(data[: len(data) // 2])
    Path("empty.tflite").touch()
    for suffix in ("tflite", "keras", "h5", "onnx"):
        Path(f"text.{suffix}").write_text("This is not a model.\n")
    Path("folder").mkdir()
    change_tflite("int8.tflite", "unsupported.tflite", make_unsupported)
    change_tflite("int8.tflite", "dynamic.tflite", open_height)


@pytest.mark.usefixtures("bad_models")
@pytest.mark.parametrize("command", EVERY, ids=name_of)
@pytest.mark.parametrize(
    ("model", "complaint"),
    [
        ("missing.tflite", "there is no model 'missing.tflite'"),
        ("missing.keras", "there is no model 'missing.keras'"),
        ("text.tflite", "text.tflite: 'text' is not a TFLite model"),
        ("empty.tflite", "empty.tflite: 'empty' is not a TFLite model"),
        ("cut.tflite", "cut.tflite: 'cut' is a damaged TFLite model"),
        ("text.keras", "text.keras is not a Keras model"),
        ("text.h5", "text.h5 is not a Keras model"),
        ("text.onnx", "text.onnx: 'text' is not an ONNX model"),
        ("folder", "folder is a folder without saved_model.pb"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(refuse, command, model, complaint):
    said = refuse(*with_model(command, model))

    assert complaint in said
    assert said.count("\n") == 1


@pytest.mark.usefixtures("bad_models")
@pytest.mark.parametrize("command", STRICT, ids=name_of)
def test_a_dynamic_shape_is_refused_in_one_line(refuse, command):
    said = refuse(*with_model(command, "dynamic.tflite"))

    assert "tensor 'image' has the dynamic shape (?, ?, 6, 2)" in said
    assert said.count("\n") == 1


@pytest.mark.usefixtures("bad_models")
@pytest.mark.parametrize("command", STRICT, ids=name_of)
def test_all_unsupported_operators_are_listed_before_any_work_is_done(
    refuse, command, monkeypatch, tmp_path
):
    monkeypatch.setenv("PATH", str(tmp_path))  # a compiler that was called would be missed

    said = refuse(*with_model(command, "unsupported.tflite"))

    assert said.splitlines() == [
        "error: unsupported.tflite: 2 of the model's 9 operators cannot be used:",
        "  operator 2: UNIQUE 'small/depthwise' is not supported ('tinyml ops' lists all)",
        "  operator 8: CUSTOM Wavelet 'probabilities' is not supported ('tinyml ops' lists all)",
    ]


@pytest.mark.parametrize("command", INT8_ONLY, ids=name_of)
def test_a_float_model_is_refused_where_int8_is_needed_with_the_command_that_makes_it(
    refuse, command
):
    said = refuse(*with_model(command, "float.tflite"))

    assert "'float.tflite' is a float model, expected int8" in said
    assert "tinyml quantize float.tflite --data" in said


@pytest.mark.parametrize(
    "command",
    [with_model(QUANTIZE, "int8.tflite"), (*COMPARE, "--reference", "int8.tflite")],
    ids=name_of,
)
def test_an_int8_model_is_refused_where_a_float_one_is_needed(refuse, command):
    assert "'int8.tflite' is quantized already, expected a float model" in refuse(*command)


def test_a_keras_archive_with_nonsense_inside_is_refused(refuse):
    with zipfile.ZipFile("nonsense.keras", "w") as archive:
        archive.writestr("config.json", "{]")
        archive.writestr("metadata.json", "{}")

    said = refuse("inspect", "nonsense.keras")

    assert "nonsense.keras cannot be loaded, it is damaged" in said
    assert "save the model with model.save" in said


def test_a_keras_archive_that_is_cut_short_is_refused(refuse):
    with zipfile.ZipFile("whole.keras", "w") as archive:
        archive.writestr("config.json", "{}" * 500)
    data = Path("whole.keras").read_bytes()
    Path("cut.keras").write_bytes(data[: len(data) // 2])

    assert "cut.keras is not a Keras model" in refuse("inspect", "cut.keras")


# --------------------------------------------------------------------------- data


@pytest.fixture
def bad_data(workplace) -> None:
    """Data files with one fault each."""
    del workplace  # it made the folder current
    x = np.load("x.npy")
    broken = x.copy()
    broken[7, 0, 0, 0] = np.nan
    arrays = {
        "shape": {"x": x[:, :5]},
        "nan": {"x": broken},
        "infinite": {"x": np.where(np.isnan(broken), np.inf, broken)},
        "overflowing": {"x": np.where(np.isnan(broken), 1e300, broken.astype(np.float64))},
        "empty": {"x": x[:0]},
        "key": {"images": x},
        "text": {"x": np.full(x.shape, "word")},
        "nothing": {},
        "objects": {"x": np.array([{}, []], dtype=object)},
    }
    for name, content in arrays.items():
        np.savez(f"{name}.npz", **content)
    np.save("scalar.npy", np.float32(1))
    np.save("objects.npy", np.array([{}, []], dtype=object))
    Path("prose.npz").write_text("This is no archive.\n")
    Path("cut.npz").write_bytes(Path("data.npz").read_bytes()[:600])
    Path("cut.npy").write_bytes(Path("x.npy").read_bytes()[:600])
    Path("folder").mkdir()


@pytest.mark.usefixtures("bad_data")
@pytest.mark.parametrize(
    ("command", "option"),
    [(QUANTIZE, "--data"), (RUN, "--input"), (COMPARE, "--data")],
    ids=name_of,
)
@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ("missing.npz", "there is no file 'missing.npz'"),
        ("folder", "there is no file 'folder'"),
        ("shape.npz", "has shape (12, 5, 6, 2), expected (N, 6, 6, 2) for input 'image'"),
        ("scalar.npy", "has shape (), expected (N, 6, 6, 2) for input 'image'"),
        ("nan.npz", "array 'x' of 'nan.npz' holds nan in sample 7 (bad samples: 1 of 12)"),
        ("infinite.npz", "holds inf in sample 7"),
        ("overflowing.npz", "holds 1e+300 in sample 7"),
        ("empty.npz", "array 'x' of 'empty.npz' holds no samples"),
        ("key.npz", "'key.npz' has no array 'x' for input 'image', got 'images'"),
        ("nothing.npz", "'nothing.npz' has no array 'x' for input 'image', got none"),
        ("text.npz", "expected numbers"),
        ("objects.npz", "without Python objects"),
        ("objects.npy", "without Python objects"),
        ("prose.npz", "'prose.npz' is no .npz or .npy file by its first bytes"),
        ("cut.npz", "'cut.npz' cannot be read as .npz or .npy"),
        ("cut.npy", "'cut.npy' cannot be read as .npz or .npy"),
    ],
)
def test_unusable_data_is_refused_in_one_line(refuse, command, option, data, complaint):
    said = refuse(*replaced(command, option, data))

    assert complaint in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(("command", "option"), [(RUN, "--input"), (COMPARE, "--data")])
def test_a_model_with_several_inputs_names_the_array_it_misses(refuse, command, option):
    np.savez("only_a.npz", a=np.zeros((3, 2, 3), np.float32))
    two = replaced(with_model(command, "two.tflite"), option, "only_a.npz")
    if "-o" in two:
        two = replaced(two, "-o", "y.npz")

    assert "'only_a.npz' has no array 'b' for input 'b', got 'a'" in refuse(*two)


def test_inputs_with_different_numbers_of_samples_are_refused(refuse):
    np.savez("ab.npz", a=np.zeros((3, 2, 3), np.float32), b=np.zeros((2, 2, 3), np.float32))

    said = refuse("run", "two.tflite", *BOARD, "--input", "ab.npz", "-o", "y.npz")

    assert "'ab.npz' has [2, 3] samples for different inputs" in said


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (np.arange(5), "array 'y' of 'data.npz' is int64 (5,)"),
        (np.eye(12)[:, :3], "of one-hot labels take y.argmax(axis=1)"),
        (np.linspace(0, 1, 12), "expected one integer class for each of 12 samples"),
        (np.arange(12), "label 3 of sample 3 is no class of output 'probabilities'"),
        (np.arange(-1, 11) % 3 - 1, "label -1 of sample 1 is no class"),
    ],
    ids=["too few", "one-hot", "float", "too large", "negative"],
)
def test_labels_that_are_no_classes_are_refused(refuse, labels, complaint):
    np.savez("data.npz", x=np.load("x.npy"), y=labels)

    assert complaint in refuse(*COMPARE)


def test_an_accuracy_limit_without_labels_is_refused(refuse):
    np.savez("data.npz", x=np.load("x.npy"))

    said = refuse(*COMPARE, "--reference", "float.tflite", "--max-accuracy-drop", "1")

    assert "needs labels: add them to the data as 'y'" in said


def test_an_accuracy_limit_without_a_float_model_is_a_usage_error(tinyml):
    called = tinyml(*COMPARE, "--max-accuracy-drop", "1")

    assert called.code == 2
    assert "give it with --reference" in called.err


def test_a_float_model_of_another_shape_is_refused(refuse):
    other = [activation("signal", (1, 16), None), activation("rectified", (1, 16), None)]
    graph = make_graph(other, [relu("rectified", "signal")], ["signal"], ["rectified"], "other")
    Path("other.tflite").write_bytes(write_tflite(graph))

    said = refuse(*COMPARE, "--reference", "other.tflite")

    assert "the float model 'other' has inputs and output 'signal' (1, 16)" in said
    assert "'int8' has 'image' (1, 6, 6, 2), 'probabilities' (1, 3)" in said


def test_a_percentile_out_of_range_is_refused(refuse):
    said = refuse(*QUANTIZE, "--observer", "percentile", "--percentile", "120")

    assert "the percentile is 120.0, expected more than 50 and at most 100" in said


# --------------------------------------------------------------------------- boards and tools


@pytest.mark.parametrize("command", [*ON_A_BOARD, EXPORT_C], ids=name_of)
def test_an_unknown_board_is_refused_with_the_nearest_name(refuse, command):
    said = refuse(*replaced(command, "--board", "mps2-an368"))

    assert "there is no board 'mps2-an368': did you mean 'mps2-an386'?" in said


@pytest.fixture
def large_models(workplace) -> None:
    """``flash.tflite`` and ``ram.tflite`` outgrow small boards; data for them."""
    del workplace  # it made the folder current
    wide = [activation("x", (1, 8000)), activation("rectified", (1, 8000))]
    ram = make_graph(wide, [relu("rectified", "x")], ["x"], ["rectified"])
    weights = int8_weights("dense/w", (600, 600), None)
    bias = int32_bias("dense/b", 0.05, weights, 600)
    heavy = [activation("x", (1, 600)), weights, bias, activation("y", (1, 600), 0.5)]
    flash = make_graph(heavy, [fully_connected("y", "x", "dense/w", "dense/b")], ["x"], ["y"])
    for name, graph, size in (("ram", ram, 8000), ("flash", flash, 600)):
        Path(f"{name}.tflite").write_bytes(write_tflite(graph))
        np.savez(f"{name}.npz", x=np.zeros((2, size), np.int8))


@pytest.mark.usefixtures("large_models")
@pytest.mark.parametrize("command", ON_A_BOARD, ids=name_of)
@pytest.mark.parametrize(
    ("model", "board", "region", "tensor"),
    [
        ("ram", "stm32vldiscovery", "RAM (8,192 bytes", "rectified' (8,000 bytes)"),
        ("flash", "microbit", "flash (262,144 bytes", "dense/w' (360,000 bytes)"),
    ],
)
def test_a_model_too_large_for_the_board_is_refused_with_the_excess_and_the_heaviest_tensors(
    refuse, command, model, board, region, tensor
):
    command = replaced(with_model(command, f"{model}.tflite"), "--board", board)
    for option in ("--data", "--input"):
        if option in command:
            command = replaced(command, option, f"{model}.npz")

    said = refuse(*command)

    assert f"model '{model}' does not fit board '{board}': it exceeds its {region}" in said
    assert tensor in said
    assert "make the model smaller or take a larger board" in said


@pytest.mark.parametrize("command", ON_A_BOARD, ids=name_of)
def test_a_missing_compiler_is_named_with_the_package_that_brings_it(
    refuse, monkeypatch, tmp_path, command
):
    monkeypatch.setenv("PATH", str(tmp_path))

    said = refuse(*command, code=3)

    assert "arm-none-eabi-gcc is not installed: install it with 'apt install" in said


@pytest.mark.parametrize("command", EMULATED, ids=name_of)
def test_a_missing_emulator_is_named_with_the_package_that_brings_it(
    refuse, monkeypatch, tmp_path, command
):
    tools = [f"arm-none-eabi-{tool}" for tool in ("gcc", "ar", "size", "objcopy")]
    path = folder_with_tools(tmp_path / "bin", tools)
    monkeypatch.setenv("PATH", path)

    said = refuse(*command, code=3)

    assert "qemu-system-arm is not installed: install it with 'apt install qemu-system-arm'" in said


@pytest.mark.parametrize("command", ON_A_BOARD, ids=name_of)
def test_a_cmsis_nn_that_is_not_there_is_a_missing_tool(refuse, monkeypatch, tmp_path, command):
    monkeypatch.setenv("CMSIS_NN_DIR", str(tmp_path))

    assert "which holds no Include/arm_nnfunctions.h" in refuse(*command, code=3)


# --------------------------------------------------------------------------- outputs

OUTPUTS = [
    (BUILD, "-o", "out"),
    (RUN, "-o", "y.npy"),
    (EXPORT_C, "-o", "c"),
    (EXPORT_TFLITE, "-o", "new.tflite"),
    (EXPORT_ONNX, "-o", "new.onnx"),
    (QUANTIZE, "-o", "new.tflite"),
    (("train", "digits", "-o", "out"), "-o", "out"),
    ((*BUILD, "--json", "b.json"), "--json", "b.json"),
    ((*RUN, "--json", "r.json"), "--json", "r.json"),
    (COMPARE, "--json", "c.json"),
    (INSPECT, "--json", "facts.json"),
]
FILES = [output for output in OUTPUTS if "." in output[2]]
FOLDERS = [output for output in OUTPUTS if "." not in output[2]]


@pytest.fixture
def no_tools(monkeypatch, tmp_path) -> None:
    """No compiler and no emulator: a command that went to work would say so instead."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(("command", "option", "name"), FILES, ids=name_of)
def test_a_folder_where_a_file_is_to_be_written_is_refused_before_any_work(
    refuse, command, option, name
):
    Path(f"folder{Path(name).suffix}").mkdir()

    said = refuse(*replaced(command, option, f"folder{Path(name).suffix}"))

    assert "is a folder, a file was expected: give another name" in said


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(("command", "option", "name"), FOLDERS, ids=name_of)
def test_a_file_where_a_folder_is_to_be_made_is_refused_before_any_work(
    refuse, command, option, name
):
    del name
    said = refuse(*replaced(command, option, "data.npz"))

    assert "data.npz cannot be made: a file stands where a folder is needed" in said


@pytest.mark.usefixtures("no_tools")
@pytest.mark.parametrize(("command", "option", "name"), OUTPUTS, ids=name_of)
def test_an_output_below_a_file_is_refused_before_any_work(refuse, command, option, name):
    said = refuse(*replaced(command, option, f"data.npz/deep/{name}"))

    assert "cannot be made: a file stands where a folder is needed" in said


@pytest.mark.parametrize(
    ("command", "option", "name"), [(BUILD, "-o", "out"), (RUN, "-o", "y.npy")], ids=name_of
)
def test_an_output_that_the_system_refuses_is_an_input_error(refuse, command, option, name):
    said = refuse(*replaced(command, option, f"/proc/tinyml/{name}"))

    assert f"/proc/tinyml/{name} cannot be written" in said


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (QUANTIZE, "new.onnx"),
        (EXPORT_TFLITE, "new.onnx"),
        (EXPORT_ONNX, "new.tflite"),
        (RUN, "y.csv"),
        (RUN, "y"),
    ],
    ids=name_of,
)
def test_an_output_whose_ending_says_something_else_is_refused(refuse, command, name):
    said = refuse(*replaced(command, "-o", name))

    assert f"{name} has the ending '{Path(name).suffix}', expected" in said


def test_a_build_that_fails_leaves_the_previous_one_as_it_was(refuse, tinyml):
    tinyml(*BUILD)
    shutil.copy("float.tflite", "int8.tflite")

    refuse(*BUILD)

    assert len(os.listdir("out")) == 4  # noqa: PTH208  # refuse compared the rest


# --------------------------------------------------------------------------- the command itself


@pytest.mark.parametrize("code", [2, 3])
def test_debug_shows_the_traceback_and_keeps_the_exit_code(tinyml, monkeypatch, tmp_path, code):
    monkeypatch.setenv("PATH", str(tmp_path))
    command = BUILD if code == 3 else with_model(BUILD, "missing.tflite")

    called = tinyml("--debug", *command)

    assert called.code == code
    assert called.err.startswith("Traceback (most recent call last):")
    assert called.err.splitlines()[-1].startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["biuld"], "No such command 'biuld'"),
        (["build"], "Missing argument 'MODEL'"),
        (["build", "int8.tflite", "-o", "out"], "Missing option '--board'"),
        ([*RUN, "--jobs", "0"], "0 is not in the range x>=1"),
        ([*COMPARE, "--max-accuracy-drop", "-1"], "-1.0 is not in the range x>=0"),
        ([*COMPARE, "--oracle", "pytorch"], "is not one of 'tflite-runtime', 'tflite-micro'"),
        ([*QUANTIZE, "--observer", "median"], "is not one of 'minmax', 'moving-average'"),
        (["export", "int8.tflite", "--format", "cpp", "-o", "x"], "is not one of 'tflite', 'onnx'"),
    ],
)
def test_wrong_usage_is_answered_with_the_usage_and_exit_code_2(tinyml, arguments, complaint):
    called = tinyml(*arguments)

    assert called.code == 2
    assert called.err.startswith("Usage: tinyml")
    assert complaint in called.err


def test_an_optimization_that_gcc_does_not_know_is_refused(refuse):
    assert "expected one of -O0 to -O3" in refuse(*BUILD, "--optimize", "-O9")
