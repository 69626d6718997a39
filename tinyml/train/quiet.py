"""TensorFlow without what its C++ parts say to every user."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def native_stderr_silenced() -> Iterator[None]:
    """Send what C++ code writes to stderr nowhere, while Python's ``sys.stderr`` still works.

    TensorFlow greets every user with a dozen lines about CUDA and oneDNN, some of them before
    any log level applies, so only the file descriptor can stop them.
    """
    previous = sys.stderr
    previous.flush()
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    if _file_descriptor(previous) == 2:
        sys.stderr = io.TextIOWrapper(
            io.FileIO(os.dup(saved), "w"), encoding=previous.encoding, write_through=True
        )
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        if sys.stderr is not previous:
            sys.stderr.close()
        sys.stderr = previous


def _file_descriptor(stream: Any) -> int | None:
    """Return the stream's file descriptor, or None where it has none (a test's captured one)."""
    try:
        return int(stream.fileno())
    except (AttributeError, OSError, ValueError):
        return None
