"""What can go wrong, told apart by who can mend it.

Every message is one sentence saying what is wrong, where (operator and tensor names), what was
expected, what was got, and what to do. The command line prints the message alone; a traceback
appears only with ``--debug``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

# Layers that a message names before it counts the rest.
SHOWN = 3


class TinymlError(Exception):
    """Any failure tinyml reports; ``exit_code`` is what the command line exits with."""

    exit_code = 2


class InputError(TinymlError):
    """A file, an option or data the user gave is wrong."""


class ModelError(TinymlError):
    """The model asks for something tinyml or the device cannot do."""


class RefusedError(ModelError):
    """Operators that cannot be used, all of them: ``reasons`` by their names."""

    def __init__(self, message: str, reasons: Mapping[str, str]) -> None:
        super().__init__(message)
        self.reasons = reasons


class InterruptedTrainingError(TinymlError):
    """Training was interrupted; what is kept of it the message says."""

    exit_code = 130


class ToolchainError(TinymlError):
    """A compiler, library or emulator is missing or failed."""

    exit_code = 3


class DeviceError(TinymlError):
    """The firmware on the board or emulator failed or gave nonsense."""

    exit_code = 3


def shortened(names: Sequence[str], most: int = SHOWN) -> str:
    """The first few of what a message is about, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def said_once(reasons: Sequence[str]) -> Iterator[str]:
    """What has the same cause, once: sentences that differ in what they quote and number alone.

    Each names in quotes first what it is about; those of the others follow the first one's.
    """
    groups: dict[str, list[str]] = {}
    for reason in reasons:
        groups.setdefault(re.sub(r"'[^']*'|\d+", "", reason), []).append(reason)
    for first, *others in groups.values():
        names = [name.group() for name in (re.search(r"'[^']*'", each) for each in others) if name]
        yield f"{first}; likewise {shortened(names)}" if names else first
