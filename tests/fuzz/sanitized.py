"""Generated C under AddressSanitizer and UndefinedBehaviorSanitizer, on this computer.

Each program runs in an arena of exactly its own size on the heap, so that a byte outside is seen.
CMSIS-NN is built with AddressSanitizer only: it shifts negative numbers to the left by intention.
"""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tinyml.codegen.module import CModule
from tinyml.firmware import firmware_dir
from tinyml.firmware.toolchain import find_cmsis_nn

ADDRESS = ("-O1", "-g", "-fsanitize=address", "-fno-omit-frame-pointer", "-std=c99")
UNDEFINED = ("-fsanitize=undefined", "-fno-sanitize-recover=undefined")
WARNINGS = ("-Wall", "-Wextra", "-Werror")
RUNS = 4
PROGRAM_SECONDS = 20
# Damage makes arenas of hundreds of megabytes, and windows that take minutes.
LARGEST_ARENA = 2**20


@dataclass
class SanitizedRun:
    """How many programs were built and run, and what the sanitizers said."""

    programs: int = 0
    too_slow: int = 0
    reports: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield (
            f"sanitizers: {self.programs} programs x {RUNS} runs, {self.too_slow} cut off after "
            f"{PROGRAM_SECONDS} s, {len(self.reports)} reports"
        )
        yield from self.reports[:10]


def run_sanitized(modules: Sequence[CModule], folder: Path) -> SanitizedRun:
    """Compile and run each; a warning of the compiler is a report too."""
    small = [module for module in modules if 0 < module.arena_bytes <= LARGEST_ARENA]
    run = SanitizedRun(programs=len(small))
    if not small:
        return run
    sources = sorted({name for module in small for name in module.kernels if name.endswith(".c")})
    kernels = [firmware_dir() / "kernels" / name for name in sources]
    library = [
        *_objects(find_cmsis_nn().sources, (*ADDRESS, "-w"), folder / "cmsis"),
        *_objects(kernels, (*ADDRESS, *UNDEFINED, *WARNINGS), folder / "kernels"),
    ]
    archive = folder / "library.a"
    _run(["ar", "rcs", archive, *library])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        numbered = enumerate(small)
        results = list(pool.map(lambda item: _run_one(*item, archive, folder), numbered))
    run.too_slow = sum(result is None for result in results)
    run.reports = [result for result in results if result]
    return run


def _include() -> tuple[str, ...]:
    return (f"-I{firmware_dir() / 'kernels'}", "-isystem", str(find_cmsis_nn().include))


def _objects(sources: Sequence[Path], flags: Sequence[str], folder: Path) -> list[Path]:
    folder.mkdir(parents=True)
    targets = [folder / f"{source.stem}.o" for source in sources]

    def compile_one(source: Path, target: Path) -> None:
        _run(["gcc", *flags, *_include(), "-c", source, "-o", target])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compile_one, sources, targets))
    return targets


def _run(command: Sequence[object]) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _run_one(number: int, module: CModule, archive: Path, folder: Path) -> str | None:
    """The first lines of what is wrong; empty where nothing is, None where it takes too long."""
    own = folder / str(number)
    own.mkdir()
    for name, text in {**module.files, "main.c": _main(module)}.items():
        (own / name).write_text(text, encoding="utf-8")
    sources = sorted(own.glob("*.c"))
    flags = (*ADDRESS, *UNDEFINED, *WARNINGS, *_include(), f"-I{own}")
    try:
        _run(["gcc", *flags, *sources, archive, "-lm", "-o", own / "program"])
    except RuntimeError as error:
        return f"does not compile: {_start(str(error))}"
    try:
        done = subprocess.run(
            [own / "program"], capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS
        )
    except subprocess.TimeoutExpired:
        return None
    calls = re.findall(r"^/\* (.*) \*/\nstatic int", module.files[f"{module.name}.c"], re.MULTILINE)
    return f"{_start(done.stderr)}\n  of {calls}" if done.returncode else ""


def _start(text: str) -> str:
    return "\n".join(text.splitlines()[:12])


def _main(module: CModule) -> str:
    """Run the program ``RUNS`` times; one with state goes on from where it was."""
    name = module.name
    start, argument = "", ""
    if module.state_bytes:
        start = f"    {name}_state state;\n    {name}_init_state(&state);\n"
        argument = ", &state"
    return (
        f'#include "{name}.h"\n#include <stdlib.h>\n\n'
        f"int main(void)\n{{\n    srand(1);\n{start}"
        f"    for (int run = 0; run < {RUNS}; run++)\n    {{\n"
        f"        uint8_t *arena = malloc({module.arena_bytes});\n"
        f"        for (int i = 0; i < {module.arena_bytes}; i++)\n"
        "            arena[i] = (uint8_t)(run == 0 ? 0x80 : run == 1 ? 0x7f : rand() >> 7);\n"
        f"        const int failed_layer = {name}_invoke(arena{argument});\n"
        "        free(arena);\n        if (failed_layer < 0)\n            return 2;\n    }\n"
        "    return 0;\n}\n"
    )
