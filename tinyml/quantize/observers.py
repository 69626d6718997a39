"""Observers: what range of real values a tensor takes over a representative dataset."""

from __future__ import annotations

import abc
import enum
import math
from collections.abc import Callable
from typing import Final

import numpy as np

from tinyml.errors import InputError
from tinyml.ir.graph import Array

Range = tuple[float, float]


class Observer(abc.ABC):
    """Sees a tensor's values sample by sample, then states its range."""

    @abc.abstractmethod
    def observe(self, values: Array) -> None:
        """Take in one sample's values, any shape, finite."""

    @property
    @abc.abstractmethod
    def range(self) -> Range:
        """Smallest and largest value to represent."""


class MinMax(Observer):
    """The smallest and largest value ever seen."""

    def __init__(self) -> None:
        self._low, self._high = math.inf, -math.inf

    def observe(self, values: Array) -> None:
        """Widen the range."""
        self._low = min(self._low, float(values.min()))
        self._high = max(self._high, float(values.max()))

    @property
    def range(self) -> Range:
        """Everything seen."""
        return self._low, self._high


class MovingAverage(Observer):
    """Exponential moving average of every sample's minimum and maximum.

    The whitepaper's observer for activations (arXiv 1806.08342, section 3.1.1).
    """

    MOMENTUM: Final = 0.99

    def __init__(self) -> None:
        self._range: Range | None = None

    def observe(self, values: Array) -> None:
        """Move the range towards the sample's."""
        low, high = float(values.min()), float(values.max())
        if self._range is None:
            self._range = low, high
            return
        keep = self.MOMENTUM
        old_low, old_high = self._range
        self._range = keep * old_low + (1 - keep) * low, keep * old_high + (1 - keep) * high

    @property
    def range(self) -> Range:
        """The averages so far."""
        if self._range is None:
            raise ValueError("no sample was observed")
        return self._range


class Percentile(Observer):
    """The range that leaves out the outermost values, an equal share at either end.

    A histogram of fixed size over [-limit, limit] stands for the values; the limit doubles, and
    neighbouring bins merge, when a value lies outside.
    """

    BINS: Final = 8192

    def __init__(self, percentile: float) -> None:
        if not 50 < percentile <= 100:
            raise InputError(
                f"the percentile is {percentile}, expected more than 50 and at most 100"
            )
        self._tail = 1 - percentile / 100
        self._limit = 0.0
        self._counts = np.zeros(self.BINS, np.int64)

    def observe(self, values: Array) -> None:
        """Count the values."""
        largest = float(np.abs(values).max())
        if largest == 0 and self._limit == 0:
            largest = 1e-6
        if self._limit == 0:
            self._limit = largest
        while largest > self._limit:
            self._double()
        edges = (-self._limit, self._limit)
        self._counts += np.histogram(values, bins=self.BINS, range=edges)[0]

    def _double(self) -> None:
        merged = self._counts.reshape(-1, 2).sum(axis=1)
        quarter = self.BINS // 4
        self._counts = np.pad(merged, (quarter, quarter))
        self._limit *= 2

    @property
    def range(self) -> Range:
        """Edges of the outermost bins that hold what is not cut off."""
        below = np.cumsum(self._counts)
        total = int(below[-1])
        first = int(np.searchsorted(below, self._tail * total, side="right"))
        last = int(np.searchsorted(below, (1 - self._tail) * total, side="left"))
        edges = np.linspace(-self._limit, self._limit, self.BINS + 1)
        return float(edges[min(first, self.BINS - 1)]), float(edges[min(last, self.BINS - 1) + 1])


class ObserverKind(enum.Enum):
    """The observers by the names the command line gives them."""

    MIN_MAX = "minmax"
    MOVING_AVERAGE = "moving-average"
    PERCENTILE = "percentile"


def observer_factory(kind: ObserverKind, percentile: float = 99.99) -> Callable[[], Observer]:
    """Give what makes a fresh observer for each tensor."""
    factories: dict[ObserverKind, Callable[[], Observer]] = {
        ObserverKind.MIN_MAX: MinMax,
        ObserverKind.MOVING_AVERAGE: MovingAverage,
        ObserverKind.PERCENTILE: lambda: Percentile(percentile),
    }
    return factories[kind]
