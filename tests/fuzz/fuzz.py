"""Damaged model files: each converts or is refused with one sentence, in time and in memory.

python tests/fuzz/fuzz.py                    20,000 files, then a sample under sanitizers
python tests/fuzz/fuzz.py --files 300 --start 20000
python tests/fuzz/fuzz.py --only 1234        one file, with its traceback; --save F keeps it
"""

import argparse
import multiprocessing
import os
import re
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from pathlib import Path

from corpus import Original, originals
from damage import damaged
from modules import module_of
from sanitized import SanitizedRun, run_sanitized

from tinyml.codegen.module import CModule
from tinyml.errors import ModelError, TinymlError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.onnx.read import read_onnx
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import is_quantized
from tinyml.ops.contract.c import PORTABLE, Isa
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.trial import quantize_on_trial

FILES = 20_000
PROCESSES = 2
SECONDS = 5.0
# The watchdog inside a process is not heard by a library that does not return.
GRACE_SECONDS = 5.0
# Seconds are those a process computes, as others may have the processor; these are the clock's.
LONGEST_SILENCE = 600.0
BYTES = 2**30
SANITIZED = 400
# Refusals that only hide what they should not have met.
HIDDEN = re.compile(r"MemoryError|RecursionError")
# What the readers say of a file that broke a promise of its format.
DAMAGED = re.compile(r"is a damaged \w+ model \(\d+ bytes; (\w+):")
CORES = (*(frozenset([isa]) for isa in Isa), PORTABLE)


class OutOfTime(BaseException):
    """Not an Exception: no handler of the code under test may catch it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file; ``failure`` is empty where it converted or was refused."""

    number: int
    outcome: str
    seconds: float
    peak_bytes: int = 0
    failure: str = ""
    module: CModule | None = None


@dataclass
class Summary:
    """What became of all files."""

    files: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Result] = field(default_factory=list)
    slowest: Result = field(default_factory=lambda: Result(-1, "", 0.0))
    peak_bytes: int = 0
    seconds: float = 0.0
    modules: dict[str, CModule] = field(default_factory=dict)

    def add(self, result: Result) -> None:
        self.files += 1
        self.outcomes[result.outcome] += 1
        self.peak_bytes = max(self.peak_bytes, result.peak_bytes)
        self.slowest = max(self.slowest, result, key=lambda r: r.seconds)
        if result.failure:
            self.failures.append(result)
        if result.module is not None:
            self.modules.setdefault(_text_of(result.module), result.module)

    def lines(self) -> Iterator[str]:
        rate = self.files / self.seconds
        yield f"{self.files:,} files in {self.seconds:.0f} s, {rate:.0f} a second"
        for outcome, count in self.outcomes.most_common():
            yield f"  {count:6,} {outcome}"
        yield f"slowest: file {self.slowest.number}, {self.slowest.seconds:.2f} s"
        yield f"most memory of a process: {self.peak_bytes / 2**20:.0f} MiB"
        yield f"different programs among those converted: {len(self.modules):,}"
        for result in self.failures[:20]:
            yield f"FAILED: {result.outcome}: python tests/fuzz/fuzz.py --only {result.number}"
            yield result.failure
        yield f"{len(self.failures)} failures"


def _text_of(module: CModule) -> str:
    """What tells programs apart, weights aside."""
    return "".join(text for name, text in module.files.items() if not name.endswith("weights.c"))


def file_of(number: int, files: Sequence[Original]) -> tuple[Original, bytes]:
    """File ``number`` of the run, and what it was made from."""
    original = files[number % len(files)]
    return original, damaged(original, number)


def convert(suffix: str, data: bytes, number: int) -> CModule | None:
    """All the way to C; a float graph is written to a file again and quantized on trial."""
    graph = read_tflite(data, "model") if suffix == "tflite" else read_onnx(data, "model")
    if not is_quantized(graph):
        write_tflite(graph)
        with suppress(ModelError):  # a file may be right and yet hold what stays float
            quantize_on_trial(graph)
        return None
    isas = CORES[number % len(CORES)]
    return module_of(prepare_for_device(graph), "model", isas)


def _try(number: int, files: Sequence[Original]) -> Result:
    original, data = file_of(number, files)
    started = time.process_time()
    module, failure = None, ""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        module = convert(original.suffix, data, number)
        outcome = f"{original.suffix} converted" + ("" if module else " (float)")
    except TinymlError as error:
        damage = DAMAGED.search(str(error))
        reason = f"damaged, {damage[1]}" if damage else type(error).__name__
        outcome = f"{original.suffix} refused: {reason}"
        failure = str(error) if HIDDEN.search(str(error)) or not str(error) else ""
    except OutOfTime:
        outcome, failure = "out of time", traceback.format_exc(limit=-6)
    except BaseException as error:  # that is what the fuzzer looks for
        outcome, failure = type(error).__name__, traceback.format_exc(limit=-6)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Result(number, outcome, seconds, peak, failure, module)


def _raise_out_of_time(signum: int, frame: object) -> None:
    del signum, frame
    raise OutOfTime


def _work(connection: Connection, files: Sequence[Original]) -> None:
    """Answer numbers with results until the other side hangs up."""
    warnings.simplefilter("error", RuntimeWarning)  # numpy's, of numbers that overflow
    signal.signal(signal.SIGPROF, _raise_out_of_time)
    resource.setrlimit(resource.RLIMIT_DATA, (BYTES, BYTES))
    while True:
        try:
            number = connection.recv()
        except EOFError:
            return
        connection.send(_try(number, files))


def _seconds_computed(pid: int | None) -> float:
    """Processor time of another process, which starts up in it too; see proc(5)."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    words = text.rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class _Worker:
    """A process, and the file it is at."""

    def __init__(self, files: Sequence[Original]) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, files), daemon=True)
        self.process.start()
        theirs.close()
        self.number = -1
        self.since = self.computed = 0.0

    def give(self, number: int) -> None:
        self.number, self.since = number, time.monotonic()
        self.computed = _seconds_computed(self.process.pid)
        self.connection.send(number)

    @property
    def is_stuck(self) -> bool:
        computed = _seconds_computed(self.process.pid) - self.computed
        silence = time.monotonic() - self.since
        return computed > SECONDS + GRACE_SECONDS or silence > LONGEST_SILENCE

    def stop(self) -> None:
        self.connection.close()
        self.process.kill()
        self.process.join()


def fuzz(numbers: Sequence[int], files: Sequence[Original], processes: int = PROCESSES) -> Summary:
    """Try them all; a process that dies or hangs is replaced."""
    summary, started = Summary(), time.monotonic()
    waiting = iter(numbers)
    busy = []
    for number in islice(waiting, processes):
        busy.append(_Worker(files))
        busy[-1].give(number)
    while busy:
        wait([worker.connection for worker in busy], timeout=1.0)
        for worker in list(busy):
            result = _result_of(worker)
            if result is None:
                continue
            summary.add(result)
            busy.remove(worker)
            free = worker
            if result.outcome in {"hangs", "crashes"}:
                worker.stop()
                free = _Worker(files)
            number = next(waiting, None)
            if number is None:
                free.stop()
            else:
                free.give(number)
                busy.append(free)
    summary.seconds = time.monotonic() - started
    return summary


def _result_of(worker: _Worker) -> Result | None:
    seconds = time.monotonic() - worker.since
    if worker.connection.poll():
        try:
            return worker.connection.recv()
        except EOFError:
            worker.process.join()
            what = f"the process ended with {worker.process.exitcode}"
            return Result(worker.number, "crashes", seconds, failure=what)
    if worker.is_stuck:
        return Result(worker.number, "hangs", seconds, failure=f"no answer in {seconds:.0f} s")
    return None


def sanitize(summary: Summary, count: int) -> SanitizedRun:
    """Build and run ``count`` of the different programs, evenly spread."""
    modules = list(summary.modules.values())
    chosen = modules[:: max(1, len(modules) // max(1, count))][:count]
    with tempfile.TemporaryDirectory() as folder:
        return run_sanitized(chosen, Path(folder))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=FILES)
    parser.add_argument("--start", type=int, default=0, help="the number of the first file")
    parser.add_argument("--sanitized", type=int, default=SANITIZED)
    parser.add_argument("--only", type=int)
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    files = originals()
    if arguments.only is not None:
        original, data = file_of(arguments.only, files)
        sys.stdout.write(f"{original.name}.{original.suffix}, {len(data)} bytes\n")
        if arguments.save:
            arguments.save.write_bytes(data)
        convert(original.suffix, data, arguments.only)
        return 0
    numbers = range(arguments.start, arguments.start + arguments.files)
    summary = fuzz(numbers, files)
    sys.stdout.write("\n".join([f"{len(files)} files damaged in turn", *summary.lines(), ""]))
    sys.stdout.flush()
    run = sanitize(summary, arguments.sanitized)
    sys.stdout.write("\n".join([*run.lines(), ""]))
    return 1 if summary.failures or run.reports else 0


if __name__ == "__main__":
    sys.exit(main())
