import shutil

import pytest

from tinyml.errors import ToolchainError
from tinyml.firmware.boards import load_board
from tinyml.firmware.toolchain import find_cmsis_nn, find_tool, find_toolchain


def test_a_tool_says_its_version():
    assert "arm-none-eabi-gcc" in find_tool("arm-none-eabi-gcc").version


@pytest.mark.parametrize(
    ("board", "package"), [("mps2-an386", "gcc-arm-none-eabi"), ("host", "apt install gcc")]
)
def test_a_missing_compiler_names_its_debian_package(tmp_path, monkeypatch, board, package):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ToolchainError, match=package) as missing:
        find_toolchain(load_board(board))

    assert missing.value.exit_code == 3


def test_a_compiler_without_a_c_library_names_the_debian_package(tmp_path, monkeypatch):
    for tool in ("gcc", "ar", "size", "objcopy"):
        program = tmp_path / f"arm-none-eabi-{tool}"
        program.write_text("#!/bin/sh\necho libc.a\n")  # what GCC says of a file it cannot find
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    with pytest.raises(ToolchainError, match="libnewlib-arm-none-eabi"):
        find_toolchain(load_board("mps2-an386"))


def test_the_packaged_cmsis_nn_is_found_with_its_upstream_commit(monkeypatch):
    monkeypatch.delenv("CMSIS_NN_DIR", raising=False)

    cmsis_nn = find_cmsis_nn()

    assert cmsis_nn.version == "3b4e406b"
    assert (cmsis_nn.include / "arm_nnfunctions.h").is_file()
    assert len(cmsis_nn.sources) == 90


def test_a_checkout_of_cmsis_nn_takes_precedence(tmp_path, monkeypatch):
    monkeypatch.delenv("CMSIS_NN_DIR", raising=False)
    packaged = find_cmsis_nn()
    checkout = shutil.copytree(packaged.root, tmp_path / "CMSIS-NN")
    (checkout / "Include" / "arm_nn_types.h").write_text("/* changed */")
    monkeypatch.setenv("CMSIS_NN_DIR", str(checkout))

    found = find_cmsis_nn()

    assert found.root == checkout
    assert found.version == "V.12.5.1"
    assert found.digest != packaged.digest


def test_a_folder_that_is_no_cmsis_nn_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CMSIS_NN_DIR", str(tmp_path))

    with pytest.raises(ToolchainError, match="CMSIS_NN_DIR"):
        find_cmsis_nn()
