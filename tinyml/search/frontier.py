"""Which trials are worth having: those that no other beats, and the one to take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tinyml.quantize.recipe import Recipe
from tinyml.search.trial import Outcome


@dataclass(frozen=True, slots=True)
class Trial:
    """A recipe and what came of it."""

    recipe: Recipe
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is allowed: bytes as of ``memory_of``, None without a limit.

    ``accuracy`` is the float model's, 1 where samples have no labels: what is held to it is then
    the share of samples in the float model's class. ``max_drop`` is in percentage points.
    """

    accuracy: float
    max_drop: float
    max_flash: int | None = None
    max_ram: int | None = None


def drop_of(trial: Trial, limits: Limits) -> float:
    """Percentage points lost, rounded so that 0.5 of a point is 0.5."""
    return round(100 * (limits.accuracy - quality(trial)), 9)


def quality(trial: Trial) -> float:
    """Accuracy by labels or, without them, the share of samples in the float model's class."""
    outcome = trial.outcome
    found = outcome.agreement if outcome.accuracy is None else outcome.accuracy
    return found or 0.0


def excess(trial: Trial, limits: Limits) -> float:
    """How far beyond the limits a trial is: points of accuracy and percent of each budget, summed.

    0 where all limits are kept.
    """
    found = max(0.0, drop_of(trial, limits) - limits.max_drop)
    flash, ram = _bytes(trial)
    for taken, most in ((flash, limits.max_flash), (ram, limits.max_ram)):
        if most is not None:
            found += 100 * max(0, taken - most) / max(1, most)
    return found


def frontier(trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """Trials that none other equals or beats in accuracy, flash and RAM, the smallest first.

    Of equals the one with the most signal to error stays, then the first.
    """
    made = [trial for trial in trials if trial.outcome.refused is None]
    best = sorted(made, key=lambda trial: -_signal(trial))  # keeps the order of equals
    kept = [
        trial
        for place, trial in enumerate(best)
        if not any(_beats(other, trial) for other in best)
        and not any(_merits(other) == _merits(trial) for other in best[:place])
    ]
    return tuple(sorted(kept, key=lambda trial: (*_bytes(trial), -quality(trial))))


def recommended(trials: Sequence[Trial], limits: Limits) -> Trial | None:
    """The trial nearest to the limits; of those within them the fewest bytes of flash and RAM.

    Then the highest accuracy and signal to error, then the first. None where none was made.
    """
    made = [trial for trial in trials if trial.outcome.refused is None]
    return min(made, key=lambda trial: _rank(trial, limits), default=None)


def _rank(trial: Trial, limits: Limits) -> tuple[float, ...]:
    return excess(trial, limits), sum(_bytes(trial)), -quality(trial), -_signal(trial)


def _beats(other: Trial, trial: Trial) -> bool:
    theirs, own = _merits(other), _merits(trial)
    return theirs != own and all(a >= b for a, b in zip(theirs, own, strict=True))


def _merits(trial: Trial) -> tuple[float, ...]:
    return quality(trial), *(-size for size in _bytes(trial))


def _signal(trial: Trial) -> float:
    return trial.outcome.signal_to_error or 0.0


def _bytes(trial: Trial) -> tuple[int, int]:
    return trial.outcome.flash_bytes or 0, trial.outcome.ram_bytes or 0
