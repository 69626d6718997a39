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
from tinyml.search.layers import Ranking
from tinyml.search.trial import Outcome

FIELDS = {field.name for field in fields(Outcome)}


class Journal:
    """A file of JSON lines, ``{"fingerprint": ..., "options": [...], "outcome": {...}}``.

    A line is written and flushed to the disk when its trial is finished; one line of a search has
    its ``ranking`` in place of an outcome. Lines with other fingerprints are those of other
    searches, and stay.
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
                self.outcomes: dict[str, Outcome] = {}
                self.rankings: dict[str, Ranking] = {}
                for number, line in enumerate(whole.splitlines(), start=1):
                    self._take(number, line)
                file.truncate(len(whole))

    def add(self, fingerprint: str, recipe: Mapping[str, Any], outcome: Outcome) -> None:
        """Append one trial."""
        self._append({"fingerprint": fingerprint, **recipe, "outcome": outcome.to_json()})
        self.outcomes[fingerprint] = outcome

    def add_ranking(self, fingerprint: str, ranking: Ranking) -> None:
        """Append what a search found of the layers."""
        self._append({"fingerprint": fingerprint, "ranking": ranking.to_json()})
        self.rankings[fingerprint] = ranking

    def _append(self, record: Mapping[str, Any]) -> None:
        with reporting_os_errors(self._path), self._path.open("ab") as file:
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _take(self, number: int, line: bytes) -> None:
        try:
            record = json.loads(line)
            fingerprint = record["fingerprint"]
            if not isinstance(fingerprint, str):
                raise TypeError
            if "ranking" in record:
                found = {name: tuple(names) for name, names in record["ranking"].items()}
                self.rankings[fingerprint] = Ranking(**found)
            else:
                self.outcomes[fingerprint] = _outcome(record["outcome"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                f"line {number} of the journal '{self._path}' is no trial of a search, expected "
                "JSON with 'fingerprint' and 'outcome' as 'tinyml search' writes it; give another "
                "file with --journal, or take that line out"
            ) from None


def _outcome(fields_of_it: Any) -> Outcome:
    if fields_of_it.keys() != FIELDS:
        raise ValueError
    return Outcome(**fields_of_it)
