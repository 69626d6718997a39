"""Runs a firmware image on QEMU, or natively on the host: samples in, outputs and counters out."""

from __future__ import annotations

import os
import signal
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
from tinyml.firmware.toolchain import find_tool, run_tool

# -icount shift=6: every instruction takes 2^6 ns of the virtual time that drives SysTick.
INSTRUCTION_NANOSECONDS = 64
# A 24-bit SysTick wraps; its interrupt handler (firmware/src/counter.c) takes this many each time.
WRAP_BITS = 24
WRAP_INSTRUCTIONS = 5

_POLL_SECONDS = 0.01
# What firmware/src exits with.
_LAYER_FAILED, _IO_FAILED, _FAULT = 1, 2, 3
_EXCEPTIONS = {2: "NMI", 3: "HardFault", 4: "MemManage", 5: "BusFault", 6: "UsageFault"}


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
    first_sample: int
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
    command = emulator_command(build.elf, build.board)
    with tempfile.TemporaryDirectory() as scratch, _started(command, parts, Path(scratch)) as work:
        _wait(work, build, timeout, on_progress)
        reports = [_report(job, build) for job in work]
        outputs = np.concatenate([_outputs(job, build) for job in work])
    return _result(build.board, outputs, reports)


def _as_samples(build: BuildResult, samples: bytes | NDArray[np.uint8]) -> NDArray[np.uint8]:
    flat = np.frombuffer(samples, np.uint8) if isinstance(samples, bytes) else samples
    if flat.dtype != np.uint8 or flat.size == 0 or flat.size % build.input_bytes:
        raise InputError(
            f"the samples are {flat.dtype} of {flat.size} elements, expected uint8 and a positive "
            f"multiple of the {build.input_bytes} bytes model '{build.name}' reads"
        )
    return flat.reshape(-1, build.input_bytes)


def emulator_command(elf: Path, board: Board) -> list[str]:
    """Return the command that boots ``elf``; it works on the files of its current folder.

    Raises:
        InputError: the board has no emulator.
        ToolchainError: QEMU is missing.
    """
    image = str(elf.resolve())
    if board.is_host:
        return [image]
    if board.emulator is None:
        raise InputError(f"board '{board.name}' has no emulator: choose a board that has one")
    options = (
        "-display none -monitor none -serial null -nic none -icount shift=6,sleep=off "
        "-semihosting-config enable=on,target=native"
    )
    qemu = find_tool("qemu-system-arm").path
    return [str(qemu), "-M", board.emulator.machine, *options.split(), "-kernel", image]


@contextmanager
def _started(
    command: Sequence[str], parts: Sequence[NDArray[np.uint8]], scratch: Path
) -> Iterator[list[_Job]]:
    """Start one process per part; whatever happens, none outlives the block."""
    jobs: list[_Job] = []
    try:
        first_sample = 0
        for part in parts:
            jobs.append(_start(command, part, first_sample, scratch / str(first_sample)))
            first_sample += len(part)
        yield jobs
    finally:
        for job in jobs:
            job.process.kill()
            job.process.wait()


def _start(
    command: Sequence[str], part: NDArray[np.uint8], first_sample: int, folder: Path
) -> _Job:
    folder.mkdir()
    (folder / "input.bin").write_bytes(part.tobytes())
    with (folder / "messages.txt").open("wb") as messages:
        process = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages
        )
    return _Job(folder=folder, first_sample=first_sample, samples=len(part), process=process)


def _wait(
    jobs: Sequence[_Job],
    build: BuildResult,
    timeout: float,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Wait for all, as long as outputs grow.

    Raises:
        DeviceError: one of them failed, or nothing happens any more.
    """
    done, last_growth = 0, time.monotonic()
    while None in (statuses := [job.process.poll() for job in jobs]):
        for job, status in zip(jobs, statuses, strict=True):
            if status:
                _report(job, build)  # it raises: the others need not finish
        now_done = sum(job.output_size() for job in jobs) // max(1, build.output_bytes)
        if now_done > done:
            done, last_growth = now_done, time.monotonic()
            if on_progress:
                on_progress(done)
        if time.monotonic() - last_growth > timeout:
            raise DeviceError(
                f"{_where(build)} hangs: no sample was finished in {timeout:g} seconds, "
                f"{done} before that"
            )
        time.sleep(_POLL_SECONDS)
    if on_progress:
        on_progress(sum(job.samples for job in jobs))


def _where(build: BuildResult) -> str:
    return f"model '{build.name}' on board '{build.board.name}'"


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
    raise DeviceError(f"{_where(build)} {_what_happened(job, build, report)}")


def _what_happened(job: _Job, build: BuildResult, report: dict[str, int]) -> str:
    status = job.process.returncode
    if status == _LAYER_FAILED and "layer" in report:
        sample = job.first_sample + report["samples"]
        return f"failed in layer {report['layer']}, at sample {sample} (counted from 0)"
    if status == _FAULT and "fault" in report:
        return _fault(build, report)
    if status == _IO_FAILED:
        return "could not read its samples or write its outputs: is the disk full?"
    messages = (job.folder / "messages.txt").read_text(errors="replace").splitlines()
    reason = next((line for line in messages if "warning:" not in line), "it said nothing")
    ending = signal.Signals(-status).name if status < 0 else f"status {status}"
    return f"ended with {ending} before it had done its {job.samples} samples: {reason}"


def _fault(build: BuildResult, report: dict[str, int]) -> str:
    if report["overflow"]:
        return (
            f"overflowed its stack of {build.board.stack_bytes:,} bytes: "
            "raise stack_bytes in the board's file"
        )
    address = f"{report['pc']:#010x}"
    addr2line = find_tool("arm-none-eabi-addr2line").path
    function = run_tool([addr2line, "-f", "-e", build.elf, address]).split()[0]
    exception = _EXCEPTIONS.get(report["fault"], "an unexpected interrupt")
    return (
        f"stopped with {exception} in function {function} at address {address} "
        f"(CFSR {report['cfsr']:#010x})"
    )


def _outputs(job: _Job, build: BuildResult) -> NDArray[np.uint8]:
    """Return uint8 (job.samples, output_bytes)."""
    outputs = np.fromfile(job.folder / "output.bin", np.uint8)
    expected = job.samples * build.output_bytes
    if outputs.size != expected:
        raise DeviceError(
            f"{_where(build)} wrote {outputs.size} bytes of output, expected {expected}"
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
