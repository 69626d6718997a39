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
from tinyml.quantize.histograms import EvenHistogram, Histogram

Range = tuple[float, float]

# A level that stands for nothing where there was something diverges by much, not without bound.
TINY = 1e-12


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
    """The range that leaves out the outermost values, an equal share at either end."""

    def __init__(self, percentile: float) -> None:
        if not 50 < percentile <= 100:
            raise InputError(
                f"the percentile is {percentile}, expected more than 50 and at most 100"
            )
        self._tail = 1 - percentile / 100
        self._seen = Histogram()

    def observe(self, values: Array) -> None:
        """Count the values."""
        self._seen.add(values)

    @property
    def range(self) -> Range:
        """Edges of the outermost bins that hold what is not cut off."""
        below = np.cumsum(self._seen.counts)
        total = int(below[-1])
        first = int(np.searchsorted(below, self._tail * total, side="right"))
        last = int(np.searchsorted(below, (1 - self._tail) * total, side="left"))
        lower, upper = self._seen.edges
        bins = len(below) - 1
        return float(lower[min(first, bins)]), float(upper[min(last, bins)])


class MeanSquaredError(Observer):
    """The range of least squared error over what was seen, in 8 bits.

    A value inside is off by step^2 / 12 on average, one outside by its distance from the range: the
    sum is convex in both ends (Banner et al., arXiv 1810.05723, section 3, has it for symmetric
    ranges). Zeros have no error, for every range has zero exactly.
    """

    STEPS: Final = 255
    ROUNDS: Final = 30

    def __init__(self) -> None:
        self._seen = Histogram()

    def observe(self, values: Array) -> None:
        """Count the values."""
        self._seen.add(values)

    @property
    def range(self) -> Range:
        """Move one end to its best place, then the other, until neither moves."""
        x, counts = self._seen.centres, self._seen.counts
        low, high = min(self._seen.low, 0.0), max(self._seen.high, 0.0)
        weight = float(counts[x != 0].sum()) / (12 * self.STEPS**2)
        for _ in range(self.ROUNDS):
            before = low, high
            high = _best_end(x, counts, weight, low, high)
            low = -_best_end(-x, counts, weight, -high, -low)
            if before == (low, high):
                break
        return max(low, self._seen.low), min(high, self._seen.high)


def _best_end(x: Array, counts: Array, weight: float, other: float, largest: float) -> float:
    """The upper end at which the error's derivative is zero, by halving [0, largest]."""
    least, most = 0.0, largest
    for _ in range(50):
        end = (least + most) / 2
        outside = x > end
        slope = weight * (end - other) - float((counts[outside] * (x[outside] - end)).sum())
        least, most = (least, end) if slope > 0 else (end, most)
    return most


class Entropy(Observer):
    """The range whose 8-bit histogram tells least apart from the one seen, by KL divergence.

    TensorRT's calibration (Migacz, "8-bit Inference with TensorRT", GTC 2017): values beyond the
    threshold count in the last bin, and those below it are merged into as many levels as the
    integers have. Here a tensor that is never negative has 256 levels, any other 128 a side.
    """

    # Thresholds tried between two neighbouring levels' widths.
    TRIALS: Final = 8

    def __init__(self) -> None:
        self._seen = EvenHistogram()
        self._extremes = MinMax()

    def observe(self, values: Array) -> None:
        """Count the magnitudes."""
        self._seen.add(values)
        self._extremes.observe(values)

    @property
    def range(self) -> Range:
        """Everything seen, without what is beyond the best threshold on either side."""
        low, high = self._extremes.range
        levels = 128 if low < 0 < high else 256
        counts = self._seen.counts
        used = int(np.flatnonzero(counts)[-1]) + 1
        trials = [*range(levels, used, levels // self.TRIALS), used]
        best = min(reversed(trials), key=lambda bins: _divergence(counts, bins, levels))
        threshold = best * self._seen.width
        return max(low, -threshold), min(high, threshold)


def _divergence(counts: Array, bins: int, levels: int) -> float:
    """KL divergence of the first ``bins`` counts, the rest put in the last, and their levels."""
    if bins <= levels:
        return 0.0 if bins == len(np.trim_zeros(counts, "b")) else math.inf
    kept = counts[:bins].astype(np.float64)
    clipped = kept.copy()
    clipped[-1] += counts[bins:].sum()
    starts = np.arange(levels) * bins // levels
    present = kept > 0
    sums, filled = np.add.reduceat(kept, starts), np.add.reduceat(present.astype(int), starts)
    levelled = np.repeat(sums / np.maximum(filled, 1), np.diff([*starts, bins])) * present
    p, q = clipped / clipped.sum(), levelled / max(levelled.sum(), 1.0)
    counted = p > 0
    return float((p[counted] * np.log(p[counted] / np.maximum(q[counted], TINY))).sum())


class ObserverKind(enum.Enum):
    """The observers by the names the command line gives them."""

    MIN_MAX = "minmax"
    MOVING_AVERAGE = "moving-average"
    PERCENTILE = "percentile"
    MEAN_SQUARED_ERROR = "mse"
    ENTROPY = "entropy"


def observer_factory(kind: ObserverKind, percentile: float = 99.99) -> Callable[[], Observer]:
    """Give what makes a fresh observer for each tensor."""
    factories: dict[ObserverKind, Callable[[], Observer]] = {
        ObserverKind.MIN_MAX: MinMax,
        ObserverKind.MOVING_AVERAGE: MovingAverage,
        ObserverKind.PERCENTILE: lambda: Percentile(percentile),
        ObserverKind.MEAN_SQUARED_ERROR: MeanSquaredError,
        ObserverKind.ENTROPY: Entropy,
    }
    return factories[kind]
