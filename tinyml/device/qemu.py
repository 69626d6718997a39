"""Runs a firmware image on QEMU, or natively on the host: samples in, outputs and counters out."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml.device.boot import Booted, booted, emulator_command
from tinyml.errors import DeviceError, InputError
from tinyml.firmware.boards import Board
from tinyml.firmware.build import BuildResult
from tinyml.firmware.toolchain import find_tool, run_tool

# -icount shift=6 (boot.py): every instruction takes 2^6 ns of the time that drives SysTick.
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
    """One emulator with its share of the samples."""

    booted: Booted
    first_sample: int
    samples: int

    def output_size(self) -> int:
        output = self.booted.folder / "output.bin"
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

    A model with state runs on one, which takes the samples in their order.

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
    # Samples of a model with state are the steps of one stream.
    emulators = 1 if build.state_bytes else jobs or os.cpu_count() or 1
    parts = np.array_split(data, max(1, min(emulators, len(data))))
    with tempfile.TemporaryDirectory() as scratch, _started(build, parts, Path(scratch)) as work:
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


@contextmanager
def _started(
    build: BuildResult, parts: Sequence[NDArray[np.uint8]], scratch: Path
) -> Iterator[list[_Job]]:
    """Start one process per part; whatever happens, none outlives the block."""
    command = emulator_command(build.elf, build.board, [build.console])
    jobs: list[_Job] = []
    first_sample = 0
    with ExitStack() as stack:
        for part in parts:
            folder = scratch / str(first_sample)
            folder.mkdir()
            (folder / "input.bin").write_bytes(part.tobytes())
            running = stack.enter_context(booted(command, folder, serial=build.console == "uart"))
            jobs.append(_Job(booted=running, first_sample=first_sample, samples=len(part)))
            first_sample += len(part)
        yield jobs


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
    while None in (statuses := [_status(job, build) for job in jobs]):
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


def _status(job: _Job, build: BuildResult) -> int | None:
    """Return the status the firmware ended with, None while it runs.

    Raises:
        DeviceError: its serial line carries nonsense.
    """
    try:
        return job.booted.status()
    except DeviceError as error:
        raise DeviceError(f"{_where(build)}: {error}") from error


def _where(build: BuildResult) -> str:
    return f"model '{build.name}' on board '{build.board.name}'"


def _report(job: _Job, build: BuildResult) -> dict[str, int]:
    """Read a finished job's result.txt.

    Raises:
        DeviceError: says what went wrong where it did.
    """
    path = job.booted.folder / "result.txt"
    text = path.read_text(encoding="ascii") if path.exists() else ""
    report = {
        key.strip(): int(value, 16)
        for key, _, value in (line.partition("=") for line in text.splitlines())
    }
    status = job.booted.ended.result()
    if status == 0 and report.get("samples") == job.samples:
        return report
    raise DeviceError(f"{_where(build)} {_what_happened(job, build, status, report)}")


def _what_happened(job: _Job, build: BuildResult, status: int, report: dict[str, int]) -> str:
    if status == _LAYER_FAILED and "layer" in report:
        sample = job.first_sample + report["samples"]
        return f"failed in layer {report['layer']}, at sample {sample} (counted from 0)"
    if status == _FAULT and "fault" in report:
        return _fault(build, report)
    if status == _IO_FAILED and build.console == "uart":
        return "received a damaged frame: check the serial line"
    if status == _IO_FAILED:
        return "could not read its samples or write its outputs: is the disk full?"
    messages = (line for line in job.booted.messages() if "warning:" not in line)
    reason = next(messages, "it said nothing")
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
    outputs = np.fromfile(job.booted.folder / "output.bin", np.uint8)
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
