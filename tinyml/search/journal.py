"""Trials that are finished, a line each: a search that was stopped goes on after the last one."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from tinyml.errors import InputError
from tinyml.files import reporting_os_errors
from tinyml.search.trial import Outcome

FIELDS = {field.name for field in fields(Outcome)}


class Journal:
    """A file of JSON lines, ``{"fingerprint": ..., "options": [...], "outcome": {...}}``.

    A line is written and flushed to the disk when its trial is finished. Lines with other
    fingerprints are those of other searches, and stay.
    """

    def __init__(self, path: Path) -> None:
        """Open ``path``, which need not exist; a last line that was written in part is taken out.

        Raises InputError where the file cannot be read or written, or is no journal.
        """
        self._path = path
        with reporting_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab+") as file:
                file.seek(0)
                content = file.read()
                whole = content[: content.rfind(b"\n") + 1]
                self._found = dict(self._read(whole))
                file.truncate(len(whole))

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """Finished trials by their fingerprints."""
        return self._found

    def add(self, fingerprint: str, recipe: Mapping[str, Any], outcome: Outcome) -> None:
        """Append one trial."""
        record = {"fingerprint": fingerprint, **recipe, "outcome": outcome.to_json()}
        with reporting_os_errors(self._path), self._path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self._found[fingerprint] = outcome

    def _read(self, content: bytes) -> list[tuple[str, Outcome]]:
        return [
            self._entry(number, line) for number, line in enumerate(content.splitlines(), start=1)
        ]

    def _entry(self, number: int, line: bytes) -> tuple[str, Outcome]:
        try:
            record = json.loads(line)
            fingerprint, outcome = record["fingerprint"], record["outcome"]
            if not isinstance(fingerprint, str) or outcome.keys() != FIELDS:
                raise ValueError
            return fingerprint, Outcome(**outcome)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                f"line {number} of the journal '{self._path}' is no trial of a search, expected "
                "JSON with 'fingerprint' and 'outcome' as 'tinyml search' writes it; give another "
                "file with --journal, or take that line out"
            ) from None
