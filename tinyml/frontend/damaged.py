"""Files that break the promises of their format."""

from __future__ import annotations

from tinyml.errors import InputError

# What taking a file at its word raises where that is broken: an index beyond a table, a number that
# stands for nothing. Anything else is a mistake of ours, and not to be blamed on the file.
BROKEN_PROMISES = (LookupError, ValueError, OverflowError)


def damaged(kind: str, data: bytes, name: str, error: Exception) -> InputError:
    """Make the error that says so."""
    return InputError(
        f"'{name}' is a damaged {kind} model ({len(data)} bytes; {type(error).__name__}: "
        f"{error}); copy or export it again"
    )
