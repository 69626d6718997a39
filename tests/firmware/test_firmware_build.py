import re
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from firmware_modules import affine_module, make_module

from tinyml.device.qemu import run_firmware
from tinyml.errors import InputError, ModelError, ToolchainError
from tinyml.firmware.boards import load_board
from tinyml.firmware.build import build_firmware
from tinyml.firmware.toolchain import find_cmsis_nn

TABLE = "static const uint8_t table[{size}] = {{1}};"
READ_TABLE = "    out[0] = table[in[0]];\n    return 0;"


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_a_board_build_writes_elf_hex_bin_and_map(tmp_path):
    build = build_firmware(affine_module(), load_board("mps2-an386"), tmp_path / "out")

    assert files_below(tmp_path) == {
        "out",
        *(f"out/tiny.{s}" for s in ("elf", "hex", "bin", "map")),
    }
    assert build.bin.stat().st_size == build.image.flash_bytes


def test_a_host_build_writes_the_program_and_its_map(tmp_path):
    build = build_firmware(affine_module(), load_board("host"), tmp_path)

    assert files_below(tmp_path) == {"tiny.elf", "tiny.map"}
    assert (build.hex, build.bin) == (None, None)


def test_a_vector_table_far_from_flash_does_not_blow_up_the_bin(tmp_path):
    build = build_firmware(affine_module(), load_board("mps3-an547"), tmp_path)

    assert build.bin.stat().st_size == build.image.flash_bytes - 64


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547"])
def test_flash_and_ram_are_what_the_model_adds(tmp_path, board):
    module = make_module(READ_TABLE, declarations=TABLE.format(size=5000), arena_bytes=3000)

    build = build_firmware(module, load_board(board), tmp_path)

    assert 5000 <= build.flash_bytes < 5100
    assert 3000 <= build.ram_bytes < 3000 + 32
    assert build.arena_bytes == 3000


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547", "microbit"])
def test_the_runner_itself_stays_small(tmp_path, board):
    build = build_firmware(affine_module(), load_board(board), tmp_path)

    assert build.image.flash_bytes - build.flash_bytes < 2048
    assert build.image.ram_bytes - build.ram_bytes < 64


def test_the_section_table_lists_what_is_loaded(tmp_path):
    build = build_firmware(affine_module(), load_board("mps2-an386"), tmp_path)

    sections = {section.name: section for section in build.image.sections}

    assert sections[".vectors"].size == 64
    assert sections[".stack"].size == 8192
    assert not any(name.startswith(".debug") for name in sections)


def test_images_are_equal_byte_for_byte_wherever_and_however_they_are_built(tmp_path, monkeypatch):
    board = load_board("mps2-an386")
    usual = build_firmware(affine_module(), board, tmp_path / "one")
    # An empty cache that two builds fill at the same time.
    monkeypatch.setenv("TINYML_CACHE_DIR", str(tmp_path / "cache"))
    folders = [tmp_path / "two", tmp_path / "three" / "deeper"]

    with ThreadPoolExecutor() as pool:
        others = list(
            pool.map(lambda folder: build_firmware(affine_module(), board, folder), folders)
        )

    for other in others:
        assert other.elf.read_bytes() == usual.elf.read_bytes()
        assert other.hex.read_bytes() == usual.hex.read_bytes()
    assert {path.name.rpartition("-")[0] for path in (tmp_path / "cache").iterdir()} == {
        "cmsis-nn",
        "runner",
        "null-mps2-an386",
    }


def test_a_build_with_cmsis_nn_cached_takes_less_than_two_seconds(tmp_path):
    board = load_board("mps2-an386")
    build_firmware(affine_module(), board, tmp_path)

    start = time.monotonic()
    build_firmware(affine_module(), board, tmp_path)

    assert time.monotonic() - start < 2


def test_only_the_called_cmsis_nn_functions_reach_the_image(tmp_path):
    module = make_module(
        "    arm_relu6_s8((int8_t *)out, 4);\n    return 0;",
        declarations='#include "arm_nnfunctions.h"',
    )

    build = build_firmware(module, load_board("mps2-an386"), tmp_path)

    text = build.map.read_text()
    linked = text[text.index("Linker script and memory map") :]
    assert re.search(r"\.text\.arm_relu6_s8\s+0x", linked)
    assert ".text.arm_convolve_s8" not in linked
    assert 0 < build.flash_bytes < 200


@pytest.mark.parametrize("board", ["host", "mps2-an386", "mps3-an547"])
def test_the_image_holds_the_version_of_cmsis_nn(tmp_path, board):
    build = build_firmware(affine_module(), load_board(board), tmp_path)

    said = f"CMSIS-NN {find_cmsis_nn().version}".encode()
    assert build.cmsis_nn_version == find_cmsis_nn().version
    assert said in build.elf.read_bytes()
    assert build.bin is None or said in build.bin.read_bytes()


def test_c_made_for_another_cmsis_nn_is_refused(tmp_path):
    module = replace(affine_module(), cmsis_nn=find_cmsis_nn().interface + 1)

    with pytest.raises(ToolchainError, match="generate the C again"):
        build_firmware(module, load_board("host"), tmp_path)


@pytest.mark.parametrize(("single_rounding", "expected"), [(False, 1), (True, 0)])
def test_the_rounding_mode_reaches_model_and_library(tmp_path, single_rounding, expected):
    # 1 * 0.25: rounded to 1 after the product 0.5 and again after its half, or once to 0.
    module = make_module(
        "    out[0] = (uint8_t)arm_nn_requantize(in[0], 0x40000000, -1);\n    return 0;",
        declarations='#include "arm_nnsupportfunctions.h"',
    )

    build = build_firmware(module, load_board("host"), tmp_path, single_rounding=single_rounding)

    assert run_firmware(build, bytes([1, 0, 0, 0])).outputs[0, 0] == expected


def test_a_model_called_like_the_runners_own_words_links(tmp_path):
    build = build_firmware(affine_module(name="model"), load_board("host"), tmp_path)

    assert run_firmware(build, bytes([1, 2, 3, 4])).outputs.tolist() == [[3, 5, 7, 9]]


def test_too_much_flash_is_refused_with_the_excess_and_the_heaviest_tensors(tmp_path):
    weights = {f"w{i}": 1000 * i for i in range(1, 8)}
    module = make_module(
        READ_TABLE, declarations=TABLE.format(size=200_000), weights_by_tensor=weights
    )

    with pytest.raises(ModelError) as refusal:
        build_firmware(module, load_board("stm32vldiscovery"), tmp_path / "out")

    message = str(refusal.value)
    excess = int(
        re.search(r"flash \(131,072 bytes\) by ([\d,]+) bytes", message)[1].replace(",", "")
    )
    assert 200_000 - 131_072 < excess < 200_000 - 131_072 + 3000
    assert "'w7' (7,000 bytes), 'w6' (6,000 bytes)" in message
    assert "'w3'" in message
    assert "'w2'" not in message
    assert files_below(tmp_path) == set()


def test_too_much_ram_is_refused_with_the_excess_and_the_arena(tmp_path):
    module = make_module("    return 0;", arena_bytes=10_000)

    with pytest.raises(ModelError, match=r"the arena takes 10,000\) by 3,8\d\d bytes"):
        build_firmware(module, load_board("stm32vldiscovery"), tmp_path)


def test_a_failed_build_leaves_the_previous_one_untouched(tmp_path):
    board = load_board("host")
    build = build_firmware(affine_module(), board, tmp_path)
    before = build.elf.read_bytes()

    with pytest.raises(ToolchainError, match="nonsense"):
        build_firmware(make_module("    nonsense"), board, tmp_path)

    assert files_below(tmp_path) == {"tiny.elf", "tiny.map"}
    assert build.elf.read_bytes() == before


def test_warnings_in_generated_code_are_errors(tmp_path):
    with pytest.raises(ToolchainError, match="unused"):
        build_firmware(make_module("    int x;\n    return 0;"), load_board("host"), tmp_path)


def test_an_unknown_optimization_level_is_refused(tmp_path):
    with pytest.raises(InputError, match="optimize"):
        build_firmware(affine_module(), load_board("host"), tmp_path, optimize="-O9")


@pytest.mark.parametrize("board", ["mps2-an386", "mps3-an547", "stm32vldiscovery"])
def test_initialised_variables_hold_their_values_and_others_zero(tmp_path, board):
    module = make_module(
        "    out[3] = odd[in[0]];\n"
        "    for (int i = 0; i < 4; i++)\n    {\n"
        "        out[i] = (uint8_t)((initialised >> (8 * i)) + zeroed);\n    }\n    return 0;",
        # An odd amount of constants moves the load address of .data off any round number.
        declarations="static const uint8_t odd[] = {1, 2, 3, 4, 5};\n"
        "static volatile uint32_t initialised = 0x78563412;\nstatic volatile uint8_t zeroed;\n",
    )

    build = build_firmware(module, load_board(board), tmp_path)

    assert run_firmware(build, bytes(4)).outputs.tobytes().hex() == "12345678"
