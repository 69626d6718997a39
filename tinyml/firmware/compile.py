"""C files -> objects -> archives, compiled in parallel and kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import platformdirs

from tinyml.files import atomic_path
from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import Board, Console, Uart
from tinyml.firmware.toolchain import CmsisNN, Toolchain, digest_files, run_tool

# One section per function and object, so that the linker drops what a model does not call.
COMMON_FLAGS = ("-std=c99", "-g", "-ffunction-sections", "-fdata-sections")
WARNINGS = ("-Wall", "-Wextra", "-Werror")

DEVICE_SOURCES = ("main.c", "startup.c", "counter.c", "stack.c", "report.c")
UART_SOURCES = ("serial_link.c", "crc32.c", "registers.c")
HOST_SOURCES = ("main.c", "host.c", "report.c")
# The runner is not what is measured: small, and without calls of memset that -Os would insert.
RUNNER_FLAGS = ("-Os", "-fno-tree-loop-distribute-patterns", "-Wpedantic", "-Wshadow")


def cache_dir() -> Path:
    """Return where compiled libraries are kept: ``TINYML_CACHE_DIR`` or the user's cache folder."""
    override = os.environ.get("TINYML_CACHE_DIR")
    return Path(override) if override else platformdirs.user_cache_path("tinyml")


def cached(name: str, identity: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return the cached file for ``identity``, calling ``make`` with a path to write it if absent.

    The file is renamed into place when complete: parallel builds may do the work twice, and never
    see half of it.
    """
    digest = hashlib.sha256("\0".join(identity).encode()).hexdigest()[:16]
    stem, _, suffix = name.partition(".")
    path = cache_dir() / f"{stem}-{digest}.{suffix}"
    if not path.is_file():
        with atomic_path(path) as temporary:
            make(temporary)
    return path


def compile_objects(
    toolchain: Toolchain, sources: Sequence[Path], flags: Sequence[str], folder: Path
) -> list[Path]:
    """Compile ``sources`` into ``folder`` over all cores and return the objects, in that order.

    Raises:
        ToolchainError: the compiler rejects a file.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def compile_one(source: Path) -> Path:
        target = folder / f"{source.stem}.o"
        _compile_object(toolchain, source, flags, target, folder)
        return target

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_one, sources))


def _compile_object(
    toolchain: Toolchain, source: Path, flags: Sequence[str], target: Path, folder: Path
) -> None:
    # Paths on this computer must not reach the debug information: builds are reproducible.
    maps = (f"-ffile-prefix-map={source.parent}=.", f"-ffile-prefix-map={folder}=.")
    run_tool([toolchain.gcc.path, *flags, *maps, "-c", source, "-o", target], cwd=folder)


def kernel_objects(
    toolchain: Toolchain, cmsis_nn: CmsisNN, names: Sequence[str], flags: Sequence[str]
) -> list[Path]:
    """Return the objects of these files of ``firmware/kernels``, each compiled at most once."""
    folder = firmware_dir() / "kernels"
    headers = digest_files(sorted(folder.glob("*.h")), folder)

    def compile_one(name: str) -> Path:
        source = folder / name
        digest = digest_files([source], folder)
        identity = (toolchain.gcc.version, cmsis_nn.digest, headers, digest, *_portable(flags))

        def make(path: Path) -> None:
            with tempfile.TemporaryDirectory() as scratch:
                _compile_object(toolchain, source, flags, path, Path(scratch))

        return cached(f"{source.stem}.o", identity, make)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(compile_one, names))


def _portable(flags: Sequence[str]) -> list[str]:
    """Leave out where headers lie: their digests stand for them."""
    return [flag for flag in flags if not flag.startswith(("-I", "/"))]


def cmsis_nn_flags(cmsis_nn: CmsisNN, *, single_rounding: bool) -> tuple[str, ...]:
    """Return the flags every file that includes CMSIS-NN needs; warnings in it are not ours."""
    rounding = ("-DCMSIS_NN_USE_SINGLE_ROUNDING",) if single_rounding else ()
    return ("-isystem", str(cmsis_nn.include), *rounding)


def cmsis_nn_library(
    board: Board, toolchain: Toolchain, cmsis_nn: CmsisNN, optimize: str, *, single_rounding: bool
) -> Path:
    """Return all of CMSIS-NN as a static library for ``board``'s flags, building it at most once.

    GCC 12.2 cannot compile the MVE softmax; CMSIS-NN itself falls back to C there
    (``ARM_GCC_12_2_ICE``).
    """
    flags = (*board.flags, *COMMON_FLAGS, optimize)
    rounding = "single rounding" if single_rounding else "double rounding"
    identity = (toolchain.gcc.version, cmsis_nn.digest, rounding, *flags)
    # -w: warnings in a library we do not change tell our user nothing.
    include = cmsis_nn_flags(cmsis_nn, single_rounding=single_rounding)
    all_flags = (*flags, *include, "-w", f"-ffile-prefix-map={cmsis_nn.root}=CMSIS-NN")
    return _cached_archive("cmsis-nn.a", identity, toolchain, cmsis_nn.sources, all_flags)


def runner_library(board: Board, toolchain: Toolchain, console: Console) -> Path:
    """Return ``firmware/src`` as a static library for ``board``'s flags, built at most once."""
    folder = firmware_dir() / "src"
    uart = board.uart if console == "uart" else None
    uart_flags = _uart_flags(uart) if uart else ()
    flags = (*board.flags, *COMMON_FLAGS, *WARNINGS, *RUNNER_FLAGS, *uart_flags)
    digest = digest_files(sorted(folder.iterdir()), folder)
    sources = [folder / name for name in _runner_sources(board, uart)]
    identity = (toolchain.gcc.version, digest, *flags)
    return _cached_archive("runner.a", identity, toolchain, sources, flags)


def _runner_sources(board: Board, uart: Uart | None) -> tuple[str, ...]:
    if board.is_host:
        return HOST_SOURCES
    if uart is None:
        return (*DEVICE_SOURCES, "semihosting.c")
    return (*DEVICE_SOURCES, *UART_SOURCES, f"uart_{uart.driver}.c")


def _uart_flags(uart: Uart) -> tuple[str, ...]:
    """Hand the board's serial port to the driver (see ``firmware/src/uart.h``)."""
    setup = (f"REGISTER({r.address:#x}u, {r.clear:#x}u, {r.set:#x}u)" for r in uart.setup)
    return (
        f"-DUART_BASE={uart.base:#x}u",
        f"-DUART_CLOCK_HZ={uart.clock_hz}u",
        f"-DUART_BAUD={uart.baud}u",
        f"-DUART_SETUP={' '.join(setup)}",
    )


def _cached_archive(
    name: str,
    identity: Sequence[str],
    toolchain: Toolchain,
    sources: Sequence[Path],
    flags: Sequence[str],
) -> Path:
    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            objects = compile_objects(toolchain, sources, flags, Path(scratch))
            run_tool([toolchain.ar.path, "rcsD", path, *objects])

    return cached(name, identity, make)
