"""What can go wrong, told apart by who can mend it.

Every message is one sentence saying what is wrong, where (operator and tensor names), what was
expected, what was got, and what to do. The command line prints the message alone; a traceback
appears only with ``--debug``.
"""

from __future__ import annotations

from collections.abc import Mapping


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


class ToolchainError(TinymlError):
    """A compiler, library or emulator is missing or failed."""

    exit_code = 3


class DeviceError(TinymlError):
    """The firmware on the board or emulator failed or gave nonsense."""

    exit_code = 3
