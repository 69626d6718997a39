"""C module + board -> firmware image, with what the model adds to it in flash and RAM."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.codegen.module import ArenaSlot, CModule
from tinyml.codegen.program import short_name
from tinyml.errors import InputError, ModelError, ToolchainError
from tinyml.files import atomic_directory
from tinyml.firmware import firmware_dir
from tinyml.firmware.boards import Board, Console, Memory
from tinyml.firmware.compile import (
    COMMON_FLAGS,
    WARNINGS,
    cached,
    cmsis_nn_flags,
    cmsis_nn_library,
    compile_objects,
    kernel_objects,
)
from tinyml.firmware.link import ImageSize, link, measure
from tinyml.firmware.toolchain import (
    CmsisNN,
    Toolchain,
    ToolFailedError,
    digest_files,
    find_cmsis_nn,
    find_toolchain,
    run_tool,
)

NULL_MODULE = CModule(
    name="null",
    files={},
    kernels=(),
    arena_bytes=0,
    arena_alignment=1,
    inputs=(),
    outputs=(),
    weights_by_tensor={},
    peak_by_tensor={},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """A firmware image and its sizes in bytes.

    ``flash_bytes`` and ``ram_bytes`` are what the model adds: the image minus the same firmware
    with a model that does nothing, the stack apart. ``hex`` and ``bin`` are None on the host.
    The samples of a model with ``state_bytes`` are the steps of one stream, from boot on.
    ``console`` is what it reads its samples from; a program of the host reads files.
    """

    name: str
    board: Board
    console: Console
    elf: Path
    hex: Path | None
    bin: Path | None
    map: Path
    flash_bytes: int
    ram_bytes: int
    arena_bytes: int
    state_bytes: int
    image: ImageSize
    inputs: tuple[ArenaSlot, ...]
    outputs: tuple[ArenaSlot, ...]
    cmsis_nn_version: str
    compiler_version: str

    @property
    def input_bytes(self) -> int:
        """Bytes of one sample: all inputs, one after the other."""
        return sum(slot.size for slot in self.inputs)

    @property
    def output_bytes(self) -> int:
        """Bytes of one result: all outputs, one after the other."""
        return sum(slot.size for slot in self.outputs)


def build_firmware(
    module: CModule,
    board: Board,
    directory: Path,
    *,
    optimize: str = "-O2",
    single_rounding: bool = False,
    console: Console = "semihosting",
) -> BuildResult:
    """Compile and link ``module`` with the runner for ``board`` into ``directory``.

    Writes ``NAME.elf``, ``NAME.map`` and, except for the host, ``NAME.hex`` and ``NAME.bin``: all
    of them or, where anything fails, none. The same input gives the same bytes in any folder.

    ``optimize`` is GCC's -O option for the model, its kernels and CMSIS-NN; ``single_rounding``
    builds those with ``CMSIS_NN_USE_SINGLE_ROUNDING``, which changes results in the last bit.
    ``console`` is what the firmware reads samples from and answers over: a debugger's (or
    emulator's) semihosting, or the board's own UART.

    Raises:
        InputError: ``optimize`` is no -O option, the board has no UART, or ``directory`` cannot be
            written.
        ModelError: the image exceeds the board's flash or RAM; says by how much.
        ToolchainError: a tool or CMSIS-NN is missing or fails.
    """
    _check_options(optimize, board, console)
    toolchain = find_toolchain(board)
    cmsis_nn = find_cmsis_nn()
    baseline = measure(toolchain, _null_image(board, toolchain, console, cmsis_nn))
    with atomic_directory(directory) as folder, tempfile.TemporaryDirectory() as scratch:
        objects = compile_model(
            module,
            board,
            toolchain,
            cmsis_nn,
            Path(scratch),
            optimize=optimize,
            single_rounding=single_rounding,
        )
        elf = folder / f"{module.name}.elf"
        _link_model(module, board, toolchain, console, objects, elf)
        _convert(board, toolchain, elf)
        image = measure(toolchain, elf)
    return _result(
        module, board, toolchain, console, cmsis_nn, directory / elf.name, image, baseline
    )


def _result(
    module: CModule,
    board: Board,
    toolchain: Toolchain,
    console: Console,
    cmsis_nn: CmsisNN,
    elf: Path,
    image: ImageSize,
    baseline: ImageSize,
) -> BuildResult:
    return BuildResult(
        name=module.name,
        board=board,
        console=console,
        elf=elf,
        hex=None if board.is_host else elf.with_suffix(".hex"),
        bin=None if board.is_host else elf.with_suffix(".bin"),
        map=elf.with_suffix(".map"),
        flash_bytes=image.flash_bytes - baseline.flash_bytes,
        ram_bytes=image.ram_bytes - baseline.ram_bytes,
        arena_bytes=module.arena_bytes,
        state_bytes=module.state_bytes,
        image=image,
        inputs=module.inputs,
        outputs=module.outputs,
        cmsis_nn_version=cmsis_nn.version,
        compiler_version=toolchain.gcc.version,
    )


def _check_options(optimize: str, board: Board, console: Console) -> None:
    if not re.fullmatch(r"-O([0-3gsz]|fast)", optimize):
        raise InputError(f"optimize is '{optimize}', expected one of -O0 to -O3, -Os, -Og, -Ofast")
    if console == "uart" and board.uart is None:
        raise InputError(f"board '{board.name}' has no UART: choose the console 'semihosting'")


def compile_model(
    module: CModule,
    board: Board,
    toolchain: Toolchain,
    cmsis_nn: CmsisNN,
    scratch: Path,
    *,
    optimize: str = "-O2",
    single_rounding: bool = False,
) -> list[Path]:
    """Return all that is linked with the runner: the model, its kernels and CMSIS-NN."""
    _require_version(module, cmsis_nn)
    library = cmsis_nn_library(
        board, toolchain, cmsis_nn, optimize, single_rounding=single_rounding
    )
    include = cmsis_nn_flags(cmsis_nn, single_rounding=single_rounding)
    flags = (*board.flags, optimize, *include)
    return [*_compile_module(module, toolchain, cmsis_nn, flags, scratch), library]


def _require_version(module: CModule, cmsis_nn: CmsisNN) -> None:
    if module.cmsis_nn not in {None, cmsis_nn.interface}:
        raise ToolchainError(
            f"the C of '{module.name}' calls the kernels of CMSIS-NN {module.cmsis_nn}, and the "
            f"one at {cmsis_nn.root} has those of {cmsis_nn.interface}: generate the C again"
        )


def _compile_module(
    module: CModule, toolchain: Toolchain, cmsis_nn: CmsisNN, flags: Sequence[str], scratch: Path
) -> list[Path]:
    """Compile the generated files, the kernels they call and the runner's view of the model."""
    files = {**module.files, "under_test.c": under_test_source(module, cmsis_nn.version)}
    for name, text in files.items():
        (scratch / name).write_text(text, encoding="utf-8")
    kernels = firmware_dir() / "kernels"
    runner = firmware_dir() / "src"
    all_flags = (*flags, *COMMON_FLAGS, *WARNINGS, f"-I{kernels}", f"-I{runner}")
    own = compile_objects(toolchain, sorted(scratch.glob("*.c")), all_flags, scratch)
    called = [name for name in module.kernels if name.endswith(".c")]
    return own + kernel_objects(toolchain, cmsis_nn, called, all_flags)


def under_test_source(module: CModule, cmsis_nn_version: str) -> str:
    """Return the C file that tells ``firmware/src/main.c`` of the model (see ``under_test.h``)."""
    version = json.dumps(f"CMSIS-NN {cmsis_nn_version}")
    if not module.files:
        header, arena, invoke = "", "uint8_t *const under_test_arena = 0;", "(void)arena, 0"
    else:
        state = ", &state" if module.state_bytes else ""
        header = f'#include "{module.name}.h"\n'
        arena = (
            f"static uint8_t arena_bytes[{module.arena_bytes}]\n"
            f"    __attribute__((aligned({module.arena_alignment})));\n"
            "uint8_t *const under_test_arena = arena_bytes;"
        )
        invoke = f"{module.name}_invoke(arena{state})"
    return (
        "/* SPDX-License-Identifier: Apache-2.0 */\n\n"
        f'#include "under_test.h"\n\n{header}\n{arena}\n'
        f"{_slot_table('input', module.inputs)}{_slot_table('output', module.outputs)}\n"
        f"const char under_test_cmsis_nn[] = {version};\n\n"
        f"{_state(module)}"
        f"int under_test_invoke(void *arena)\n{{\n    return {invoke};\n}}\n"
    )


def _state(module: CModule) -> str:
    """Define the one stream whose steps the samples are, and how it starts."""
    start, stream = "", ""
    if module.state_bytes:
        start = f"    {module.name}_init_state(&state);\n"
        stream = f"static {module.name}_state state;\n\n"
    return f"{stream}void under_test_start(void)\n{{\n{start}}}\n\n"


def _slot_table(kind: str, slots: Sequence[ArenaSlot]) -> str:
    """C knows no empty arrays; a count of 0 says that the one entry does not count."""
    entries = ", ".join(f"{{{slot.offset}, {slot.size}}}" for slot in slots) or "{0, 0}"
    return (
        f"const struct under_test_slot under_test_{kind}s[] = {{{entries}}};\n"
        f"const uint32_t under_test_{kind}_count = {len(slots)};\n"
    )


def _link_model(
    module: CModule,
    board: Board,
    toolchain: Toolchain,
    console: Console,
    inputs: Sequence[Path],
    elf: Path,
) -> None:
    try:
        link(board, toolchain, console, inputs, elf)
    except ToolFailedError as failure:
        overflow = re.findall(r"region `(\w+)' overflowed by (\d+) bytes", failure.stderr)
        if not overflow or board.memory is None:
            raise
        excess = {region: int(count) for region, count in overflow}
        raise ModelError(_does_not_fit(module, board, board.memory, excess)) from None


def _does_not_fit(module: CModule, board: Board, memory: Memory, excess: Mapping[str, int]) -> str:
    sizes = {
        "FLASH": f"flash ({memory.flash.length:,} bytes)",
        "RAM": (
            f"RAM ({memory.ram.length:,} bytes, of which {board.stack_bytes:,} are stack; "
            f"the arena takes {module.arena_bytes:,})"
        ),
    }
    weights = [(short_name(name), size) for name, size in module.weights_by_tensor.items()]
    tensors = {"FLASH": weights, "RAM": list(module.peak_by_tensor.items())}
    exceeded = " and ".join(
        f"exceeds its {sizes[region]} by {excess[region]:,} bytes, "
        f"heaviest there are {_heaviest(tensors[region])}"
        for region in sizes
        if region in excess
    )
    return (
        f"model '{module.name}' does not fit board '{board.name}': it {exceeded}; "
        "make the model smaller or take a larger board"
    )


def _heaviest(tensors: Sequence[tuple[str, int]]) -> str:
    ranked = sorted(tensors, key=lambda item: (-item[1], item[0]))[:5]
    return ", ".join(f"'{name}' ({size:,} bytes)" for name, size in ranked) or "no tensors"


def _convert(board: Board, toolchain: Toolchain, elf: Path) -> None:
    """Write the .hex and .bin that flash tools take."""
    if toolchain.objcopy is None:
        return
    run_tool([toolchain.objcopy.path, "-O", "ihex", elf, elf.with_suffix(".hex")])
    # A .bin has no addresses: a vector table far from flash would fill it with megabytes of gap.
    apart = board.memory is not None and board.memory.vectors is not None
    only_flash = ("--remove-section=.vectors",) if apart else ()
    run_tool([toolchain.objcopy.path, "-O", "binary", *only_flash, elf, elf.with_suffix(".bin")])


def _null_image(board: Board, toolchain: Toolchain, console: Console, cmsis_nn: CmsisNN) -> Path:
    """Return the firmware without a model, built at most once for what its image depends on."""
    sources = [firmware_dir() / "link.ld", *sorted((firmware_dir() / "src").iterdir())]
    identity = (
        toolchain.gcc.version,
        digest_files(sources, firmware_dir()),
        under_test_source(NULL_MODULE, cmsis_nn.version),
        repr(board),
        console,
    )

    def make(path: Path) -> None:
        with tempfile.TemporaryDirectory() as scratch:
            flags = (*board.flags, "-Os")
            objects = _compile_module(NULL_MODULE, toolchain, cmsis_nn, flags, Path(scratch))
            elf = Path(scratch) / "null.elf"
            link(board, toolchain, console, objects, elf)
            shutil.copy(elf, path)

    return cached(f"null-{board.name}.elf", identity, make)
