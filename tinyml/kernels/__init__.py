"""Candidates: kernels that may take the place of an operator's own, one C function a file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from tinyml.ops.contract.candidate import Candidate
from tinyml.ops.contract.operator import Operator


@cache
def all_candidates() -> tuple[Candidate[Any], ...]:
    """Every file's ``CANDIDATES``, by the names of the files."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    return tuple(candidate for module in modules for candidate in module.CANDIDATES)


def candidates_for(cls: type[Operator]) -> tuple[Candidate[Any], ...]:
    """Those that compute operators of a class, the most preferred first."""
    found = [candidate for candidate in all_candidates() if candidate.computes is cls]
    return tuple(sorted(found, key=lambda candidate: -candidate.preference))
