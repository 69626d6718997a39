"""Options and output that several commands share."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from tinyml.errors import InputError
from tinyml.files import atomic_write, reporting_os_errors
from tinyml.firmware.boards import CONSOLES
from tinyml.ops.contract.target import GOALS
from tinyml.plan import KERNEL_SETS

Column = tuple[str, Literal["left", "right"]]
F = TypeVar("F", bound=Callable[..., Any])


def signature_option(function: F) -> F:
    """``--signature NAME``."""
    return click.option(
        "--signature",
        metavar="NAME",
        help="Which signature to take of a .tflite that has several.",
    )(function)


def model_argument(function: F) -> F:
    """``MODEL``, and which of its signatures is meant."""
    return click.argument("model", type=click.Path(path_type=Path))(signature_option(function))


def output_option(help_text: str) -> Callable[[F], F]:
    """``-o PATH``."""
    return click.option(
        "-o", "--output", required=True, type=click.Path(path_type=Path), help=help_text
    )


# Before any work is done, commands refuse what could not be written after it.


def check_file(path: Path, *suffixes: str) -> None:
    """Raise InputError where no file can be written, or its ending is none of ``suffixes``."""
    with reporting_os_errors(path):
        if path.is_dir():
            raise IsADirectoryError
        _check_parents(path)
    if suffixes and path.suffix.lower() not in suffixes:
        raise InputError(
            f"{path} has the ending '{path.suffix}', expected {' or '.join(suffixes)}: "
            "give another name"
        )


def check_folder(path: Path) -> None:
    """Raise InputError where ``path`` is no folder and cannot become one."""
    with reporting_os_errors(path):
        if path.exists() and not path.is_dir():
            raise NotADirectoryError
        _check_parents(path)


def _check_parents(path: Path) -> None:
    """Raise OSError where the nearest parent that exists takes no new files."""
    parent = next(parent for parent in path.absolute().parents if parent.exists())
    if not parent.is_dir():
        raise NotADirectoryError
    if not os.access(parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def board_option(function: F) -> F:
    """``--board BOARD``."""
    return click.option("--board", required=True, help="Board name; 'tinyml boards' lists them.")(
        function
    )


def console_option(function: F) -> F:
    """``--console CONSOLE``."""
    return click.option(
        "--console",
        type=click.Choice(CONSOLES),
        default="semihosting",
        show_default=True,
        help="How samples and results pass: through the debugger, or over the board's UART.",
    )(function)


def kernels_option(function: F) -> F:
    """``--kernels SET``."""
    return click.option(
        "--kernels",
        type=click.Choice(KERNEL_SETS),
        default="auto",
        show_default=True,
        help="Which kernels to choose from: all there are, or no other than CMSIS-NN's where it "
        "has one.",
    )(function)


def goal_option(function: F) -> F:
    """``--goal GOAL``."""
    return click.option(
        "--goal",
        type=click.Choice(GOALS),
        default="speed",
        show_default=True,
        help="What kernels are chosen for: speed, or flash where time and RAM count less.",
    )(function)


def json_option(function: F) -> F:
    """``--json FILE``."""
    return click.option(
        "--json",
        "json_path",
        type=click.Path(path_type=Path),
        callback=_check_json,
        help="Write the results to this file as JSON.",
    )(function)


def _check_json(
    _context: click.Context, _option: click.Parameter, path: Path | None
) -> Path | None:
    if path is not None:
        check_file(path)
    return path


def jobs_option(help_text: str) -> Callable[[F], F]:
    """``--jobs N``."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=1),
        default=os.cpu_count() or 1,
        show_default="one per core",
        help=help_text,
    )


def write_json(path: Path | None, values: Mapping[str, Any]) -> None:
    """Write ``values`` where a path was given."""
    if path is not None:
        atomic_write(path, json.dumps(values, indent=2) + "\n")


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how many of ``total`` are done, on a terminal only; yields what to call with it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _ignore
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)


def _ignore(done: int) -> None:
    del done


def print_pairs(pairs: Mapping[str, str]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, pairs))
    for name, value in pairs.items():
        click.echo(f"{name:<{width}}  {value}")


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, 120 characters wide where stdout is no terminal."""
    table = Table(box=box.SIMPLE)
    for heading, justify in columns:
        table.add_column(heading, justify=justify)
    for row in rows:
        table.add_row(*row)
    Console(width=None if Console().is_terminal else 120).print(table)


def warn(warnings: Sequence[str]) -> None:
    """Print each on stderr."""
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)


def percent(fraction: float | None) -> str:
    """A fraction as a percentage."""
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def count(number: int | None, unit: str = "") -> str:
    """A number with thousands separated."""
    return "-" if number is None else f"{number:,}{f' {unit}' if unit else ''}"
