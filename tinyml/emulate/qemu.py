"""Runs a firmware image on QEMU, or natively on the host: samples in, outputs and counters out."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.errors import DeviceError, InputError
from tinyml.firmware.boards import Board
from tinyml.firmware.build import BuildResult
from tinyml.firmware.toolchain import find_tool

# -icount shift=6: every instruction takes 2^6 ns of the virtual time that drives SysTick.
INSTRUCTION_NANOSECONDS = 64
# A 24-bit SysTick wraps; its interrupt handler (firmware/src/counter.c) takes this many each time.
WRAP_BITS = 24
WRAP_INSTRUCTIONS = 5

_POLL_SECONDS = 0.01
_LAYER_FAILED, _IO_FAILED, _FAULT = 1, 2, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """What the model answered, and what it cost.

    ``outputs`` is uint8 (N, output_bytes): the raw bytes of all output slots, one after the
    other. Instructions (never cycles) are per inference and None on the host, which counts none;
    ``instructions_per_inference`` is their mean. ``stack_bytes`` is the most stack ever in use,
    None on the host.
    """

    outputs: NDArray[np.uint8]
    samples: int
    instructions_per_inference: int | None
    instructions_min: int | None
    instructions_max: int | None
    stack_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """One emulator with its share of the samples; its files live in ``folder``."""

    folder: Path
    samples: int
    process: subprocess.Popen[bytes]

    def output_size(self) -> int:
        output = self.folder / "output.bin"
        return output.stat().st_size if output.exists() else 0


def run_firmware(
    build: BuildResult,
    samples: bytes | NDArray[np.uint8],
    *,
    jobs: int | None = None,
    timeout: float = 120.0,
    on_progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Run every sample through the image, split over parallel emulators.

    Args:
        build: the image, from ``build_firmware``.
        samples: uint8 (N, input_bytes), or the same as bytes: the raw bytes of all input slots.
        jobs: emulators at a time; one per core where None.
        timeout: seconds in which at least one sample has to be finished.
        on_progress: called with the number of samples done so far, now and then.

    Raises:
        InputError: the samples do not fill the model's inputs, or there are none.
        ToolchainError: QEMU is missing.
        DeviceError: the firmware faults, fails, hangs or answers too little; QEMU crashes.
    """
    data = _as_samples(build, samples)
    parts = np.array_split(data, max(1, min(jobs or os.cpu_count() or 1, len(data))))
    command = _command(build)
    with tempfile.TemporaryDirectory() as scratch, _started(command, parts, Path(scratch)) as all_:
        _wait(all_, build, timeout, on_progress)
        reports = [_report(job, build) for job in all_]
        outputs = np.concatenate([_outputs(job, build) for job in all_])
    return _result(build.board, outputs, reports)


def _as_samples(build: BuildResult, samples: bytes | NDArray[np.uint8]) -> NDArray[np.uint8]:
    flat = np.frombuffer(samples, np.uint8) if isinstance(samples, bytes) else samples
    if flat.dtype != np.uint8 or flat.size == 0 or flat.size % build.input_bytes:
        raise InputError(
            f"the samples are {flat.dtype} of {flat.size} elements, expected uint8 and a positive "
            f"multiple of the {build.input_bytes} bytes model '{build.name}' reads"
        )
    return flat.reshape(-1, build.input_bytes)


def _command(build: BuildResult) -> list[str]:
    elf = str(build.elf.resolve())
    if build.board.is_host:
        return [elf]
    if build.board.emulator is None:
        raise InputError(f"board '{build.board.name}' has no emulator: choose a board that has one")
    options = (
        "-display none -monitor none -serial null -nic none -icount shift=6,sleep=off "
        "-semihosting-config enable=on,target=native"
    )
    qemu = find_tool("qemu-system-arm").path
    return [str(qemu), "-M", build.board.emulator.machine, *options.split(), "-kernel", elf]


@contextmanager
def _started(
    command: Sequence[str], parts: Sequence[NDArray[np.uint8]], scratch: Path
) -> Iterator[list[_Job]]:
    """Start one process per part; whatever happens, none outlives the block."""
    jobs: list[_Job] = []
    try:
        for number, part in enumerate(parts):
            jobs.append(_start(command, part, scratch / str(number)))
        yield jobs
    finally:
        for job in jobs:
            job.process.kill()
            job.process.wait()


def _start(command: Sequence[str], part: NDArray[np.uint8], folder: Path) -> _Job:
    folder.mkdir()
    (folder / "input.bin").write_bytes(part.tobytes())
    with (folder / "messages.txt").open("wb") as messages:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
        )
    return _Job(folder=folder, samples=len(part), process=process)


def _wait(
    jobs: Sequence[_Job],
    build: BuildResult,
    timeout: float,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Wait for all, as long as outputs grow; stop at the first that fails."""
    done, last_growth = 0, time.monotonic()
    while any(job.process.poll() is None for job in jobs):
        if any(job.process.returncode for job in jobs):
            return
        now_done = sum(job.output_size() for job in jobs) // max(1, build.output_bytes)
        if now_done > done:
            done, last_growth = now_done, time.monotonic()
            if on_progress:
                on_progress(done)
        if time.monotonic() - last_growth > timeout:
            raise DeviceError(
                f"model '{build.name}' on board '{build.board.name}' hangs: no sample was "
                f"finished in {timeout:g} seconds, {done} before that"
            )
        time.sleep(_POLL_SECONDS)


def _report(job: _Job, build: BuildResult) -> dict[str, int]:
    """Read a finished job's result.txt.

    Raises:
        DeviceError: says what went wrong where it did.
    """
    path = job.folder / "result.txt"
    text = path.read_text(encoding="ascii") if path.exists() else ""
    report = {
        key.strip(): int(value, 16)
        for key, _, value in (line.partition("=") for line in text.splitlines())
    }
    if job.process.returncode == 0 and report.get("samples") == job.samples:
        return report
    where = f"model '{build.name}' on board '{build.board.name}'"
    raise DeviceError(f"{where} {_what_happened(job, report)}")


def _what_happened(job: _Job, report: dict[str, int]) -> str:
    status = job.process.returncode
    if status == _LAYER_FAILED and "layer" in report:
        return f"failed in layer {report['layer']}, sample {report['samples']}"
    if status == _FAULT and "fault" in report:
        return _fault(report)
    if status == _IO_FAILED:
        return "could not read its samples or write its outputs: is the disk full?"
    messages = (job.folder / "messages.txt").read_text(errors="replace").strip()
    reason = messages.splitlines()[0] if messages else "it said nothing"
    ending = f"signal {-status}" if status < 0 else f"status {status}"
    return f"ended with {ending} before it had done {job.samples} samples: {reason}"


def _fault(report: dict[str, int]) -> str:
    if report["overflow"]:
        return "overflowed its stack: raise stack_bytes in the board's file"
    return (
        f"stopped with processor exception {report['fault']} at address {report['pc']:#010x} "
        f"(CFSR {report['cfsr']:#010x})"
    )


def _outputs(job: _Job, build: BuildResult) -> NDArray[np.uint8]:
    """Return uint8 (job.samples, output_bytes)."""
    outputs = np.fromfile(job.folder / "output.bin", np.uint8)
    expected = job.samples * build.output_bytes
    if outputs.size != expected:
        raise DeviceError(
            f"model '{build.name}' on board '{build.board.name}' wrote {outputs.size} bytes of "
            f"output, expected {expected}"
        )
    return outputs.reshape(job.samples, build.output_bytes)


def _result(
    board: Board, outputs: NDArray[np.uint8], reports: Sequence[dict[str, int]]
) -> RunResult:
    samples = len(outputs)
    if board.emulator is None:
        return RunResult(
            outputs=outputs,
            samples=samples,
            instructions_per_inference=None,
            instructions_min=None,
            instructions_max=None,
            stack_bytes=None,
        )
    clock_hz = board.emulator.clock_hz
    mean = sum(report["total"] for report in reports) / samples
    return RunResult(
        outputs=outputs,
        samples=samples,
        instructions_per_inference=instructions(mean, clock_hz),
        instructions_min=instructions(min(report["min"] for report in reports), clock_hz),
        instructions_max=instructions(max(report["max"] for report in reports), clock_hz),
        stack_bytes=max(report["stack"] for report in reports),
    )


def instructions(ticks: float, clock_hz: int) -> int:
    """Convert SysTick ticks under ``-icount shift=6`` into instructions.

    One instruction takes 64 ns of virtual time. Subtracts the wrap handler's own instructions.
    """
    executed = ticks * 1e9 / (INSTRUCTION_NANOSECONDS * clock_hz)
    return round(executed - WRAP_INSTRUCTIONS * (int(ticks) >> WRAP_BITS))
