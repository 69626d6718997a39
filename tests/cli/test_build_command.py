import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("workplace")

BUILD = ("build", "int8.tflite", "-o", "out", "--board")


def names() -> list[str]:
    return sorted(path.name for path in Path("out").iterdir())


def test_build_writes_the_image_in_every_format_and_its_map(tinyml):
    called = tinyml(*BUILD, "mps2-an386")

    assert (called.code, called.err) == (0, "")
    assert names() == ["int8.bin", "int8.elf", "int8.hex", "int8.map"]
    assert "mps2-an386" in called.out
    assert "arena" in called.out


def test_build_for_the_host_writes_a_program_and_its_map(tinyml):
    called = tinyml(*BUILD, "host")

    assert (called.code, called.err) == (0, "")
    assert names() == ["int8.elf", "int8.map"]


def test_build_writes_its_sizes_as_json(tinyml):
    called = tinyml(*BUILD, "mps2-an386", "--json", "sizes.json")

    sizes = json.loads(Path("sizes.json").read_text())
    assert called.code == 0
    assert sizes["board"] == "mps2-an386"
    assert sizes["elf"] == "out/int8.elf"
    assert 0 < sizes["arena_bytes"] <= sizes["ram_bytes"] <= sizes["image_ram_bytes"]
    assert 0 < sizes["flash_bytes"] < sizes["image_flash_bytes"]
    assert "gcc" in sizes["compiler"]
    assert f"{sizes['flash_bytes']:,}" in called.out
    assert f"CMSIS-NN {sizes['cmsis_nn']}, {sizes['compiler']}" in called.out


def test_build_optimizes_as_asked(tinyml):
    flash = {}
    for level in ("-O2", "-Os"):
        called = tinyml(*BUILD, "host", "--optimize", level, "--json", "sizes.json")
        assert called.code == 0
        flash[level] = json.loads(Path("sizes.json").read_text())["flash_bytes"]

    assert flash["-Os"] < flash["-O2"]


def test_build_rounds_once_where_asked_to(tinyml):
    tinyml(*BUILD, "host")
    twice = Path("out/int8.elf").read_bytes()
    called = tinyml(*BUILD, "host", "--single-rounding")

    assert called.code == 0
    assert Path("out/int8.elf").read_bytes() != twice


def test_build_leaves_other_files_of_the_folder_alone(tinyml):
    Path("out").mkdir()
    Path("out/notes.txt").write_text("mine")

    tinyml(*BUILD, "host")

    assert names() == ["int8.elf", "int8.map", "notes.txt"]
