import shutil
import subprocess

import pytest

from tinyml.errors import ToolchainError
from tinyml.firmware.boards import load_board
from tinyml.firmware.toolchain import CmsisNN, find_cmsis_nn, find_tool, find_toolchain


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


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A folder with the packaged CMSIS-NN, which CMSIS_NN_DIR names."""
    monkeypatch.delenv("CMSIS_NN_DIR", raising=False)
    folder = shutil.copytree(find_cmsis_nn().root, tmp_path / "CMSIS-NN")
    monkeypatch.setenv("CMSIS_NN_DIR", str(folder))
    return folder


def git(folder, *arguments):
    name = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    command = ["git", "-C", folder, *name, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_folder_of_cmsis_nn_is_named_by_the_release_its_sources_equal(copy):
    found = find_cmsis_nn()

    assert (found.root, found.version, found.interface) == (copy, "3b4e406b", 5)


def test_a_folder_of_other_sources_is_named_by_their_digest(copy):
    (copy / "Include" / "arm_nn_types.h").write_text("/* changed */")

    found = find_cmsis_nn()

    assert found.version == f"header V.12.5.1, sources {found.digest[:8]}"


def test_a_git_checkout_of_cmsis_nn_is_named_as_git_names_it(copy):
    git(copy, "init", "-q")
    git(copy, "add", "-A")
    git(copy, "commit", "-q", "-m", "CMSIS-NN")
    git(copy, "tag", "v9.1.0")
    assert find_cmsis_nn().version == "v9.1.0"

    git(copy, "commit", "-q", "--allow-empty", "-m", "later")
    assert find_cmsis_nn().version == f"v9.1.0-1-g{git(copy, 'rev-parse', '--short', 'HEAD')}"

    (copy / "Source" / "changed.c").write_text("int changed;")
    git(copy, "add", "-A")
    assert find_cmsis_nn().version.endswith("-dirty")


@pytest.mark.parametrize(
    ("convolve", "size_1_x_n", "interface"),
    [
        ("", "const cmsis_nn_dims *input_dims", 5),
        ("", "const cmsis_nn_conv_params *conv_params", 6),
        ("const cmsis_nn_dims *upscale_dims", "const cmsis_nn_conv_params *conv_params", 7),
    ],
)
def test_two_prototypes_tell_the_major_version(tmp_path, convolve, size_1_x_n, interface):
    (tmp_path / "Include").mkdir()
    (tmp_path / "Include" / "arm_nnfunctions.h").write_text(
        f"arm_cmsis_nn_status arm_convolve_s8({convolve});\n"
        f"int32_t arm_convolve_1_x_n_s8_get_buffer_size({size_1_x_n});\n"
    )

    assert CmsisNN(root=tmp_path, version="", digest="").interface == interface


def test_a_folder_that_is_no_cmsis_nn_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("CMSIS_NN_DIR", str(tmp_path))

    with pytest.raises(ToolchainError, match=r"CMSIS_NN_DIR is .*, which holds no") as refusal:
        find_cmsis_nn()

    assert refusal.value.exit_code == 3
