"""Generated C and a main of the test's own, compiled and run on this computer."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinyml.codegen.module import CModule
from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import load_board
from tinyml.firmware.compile import cmsis_nn_library
from tinyml.firmware.toolchain import find_cmsis_nn, find_toolchain

# What a user's strict project may ask of the files we hand out.
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")


def write_module(module: CModule, folder: Path) -> list[Path]:
    """Write the module's files and return its sources, those of our own kernels included."""
    for name, text in module.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    sources = [folder / name for name in module.files if name.endswith(".c")]
    return sources + [firmware_dir() / "kernels" / name for name in module.kernels]


def include_flags() -> list[str]:
    kernels = firmware_dir() / "kernels"
    return [f"-I{kernels}", "-isystem", str(find_cmsis_nn().include)]


def build_program(
    modules: Sequence[CModule], main: str, folder: Path, flags: Sequence[str] = ()
) -> Path:
    """Compile and link ``main`` with the modules and CMSIS-NN; warnings are errors."""
    sources = dict.fromkeys(path for module in modules for path in write_module(module, folder))
    (folder / "main.c").write_text(main, encoding="utf-8")
    board = load_board("host")
    library = cmsis_nn_library(
        board, find_toolchain(board), find_cmsis_nn(), "-O2", single_rounding=False
    )
    program = folder / "program"
    command = ["gcc", *STRICT, "-O1", *flags, *include_flags(), f"-I{folder}", "main.c"]
    command += [*map(str, sources), str(library), "-lm", "-o", str(program)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return program


def run_program(program: Path, standard_input: bytes = b"") -> bytes:
    """Run to the end and return what it writes."""
    result = subprocess.run([program], input=standard_input, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr.decode()
    return result.stdout
