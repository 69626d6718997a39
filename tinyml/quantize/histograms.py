"""Counts of values seen, from which observers take ranges."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from tinyml.ir.graph import Array

# Bits of a float32 that tell values of one bin apart: all but 8 of its mantissa's 23.
DROPPED_BITS = 15
MAGNITUDE = 0x7FFF_FFFF >> DROPPED_BITS
# Values that are sorted in less time than all bins are looked at.
FEW = 8_000


class Histogram:
    """Counts in bins as wide as 1/256 of their values, whatever the scale, and one of zeros.

    A bin is the sign, the exponent and the first 8 bits of the mantissa of a float32, so that an
    outlier of 1e6 takes no resolution from the values around 1. Below 5e-41 all counts as zero.
    """

    def __init__(self) -> None:
        self.keys = np.zeros(0, np.int64)  # ascending as the values are; 0 holds the zeros
        self.counts = np.zeros(0, np.int64)
        self.low, self.high = math.inf, -math.inf

    def add(self, values: Array) -> None:
        """Count float values of any shape, finite."""
        values = np.asarray(values, np.float32).reshape(-1)
        bins = values.view(np.uint32) >> DROPPED_BITS
        if values.size < FEW:
            present, counts = np.unique(bins, return_counts=True)
        else:
            every = np.bincount(bins)
            present = np.flatnonzero(every)
            counts = every[present]
        magnitudes = present.astype(np.int64) & MAGNITUDE
        self._merge(np.where(present > MAGNITUDE, -magnitudes, magnitudes), counts)
        self.low = min(self.low, float(values.min()))
        self.high = max(self.high, float(values.max()))

    def _merge(self, keys: Array, counts: Array) -> None:
        """Add counts of some bins; after some samples there are hardly any new ones."""
        places = np.searchsorted(self.keys, keys)
        if len(self.keys) and (self.keys.take(places, mode="clip") == keys).all():
            np.add.at(self.counts, places, counts)  # 0 may be among them twice, as -0.0
            return
        every = np.concatenate([self.keys, keys])
        self.keys, places = np.unique(every, return_inverse=True)
        weights = np.concatenate([self.counts, counts])
        self.counts = np.bincount(places.reshape(-1), weights).astype(np.int64)

    @property
    def edges(self) -> tuple[Array, Array]:
        """Least and largest value of each bin, float64, none beyond the values seen."""
        near = _value(np.abs(self.keys))
        far = np.where(self.keys == 0, 0.0, _value(np.abs(self.keys) + 1))
        lower = np.where(self.keys < 0, -far, near)
        upper = np.where(self.keys < 0, -near, far)
        return np.maximum(lower, self.low), np.minimum(upper, self.high)

    @property
    def centres(self) -> Array:
        """The middle of each bin, float64."""
        lower, upper = self.edges
        return np.asarray((lower + upper) / 2)


def _value(magnitudes: Array) -> Array:
    bits = (magnitudes << DROPPED_BITS).astype(np.uint32)
    with np.errstate(invalid="ignore"):  # the bin after the largest float is infinite
        return np.asarray(bits.view(np.float32), np.float64)


class EvenHistogram:
    """Counts of magnitudes in bins of equal width, of which the first begins at 0.

    The width doubles, and neighbouring bins merge, when a value lies outside.
    """

    BINS: Final = 4096

    def __init__(self) -> None:
        self.counts = np.zeros(self.BINS, np.int64)
        self.limit = 0.0

    def add(self, values: Array) -> None:
        """Count the magnitudes of float values of any shape, finite."""
        magnitudes = np.abs(values)
        largest = float(magnitudes.max())
        if self.limit == 0:
            self.limit = largest or 1e-6
        while largest > self.limit:
            merged = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.pad(merged, (0, self.BINS // 2))
            self.limit *= 2
        self.counts += np.histogram(magnitudes, bins=self.BINS, range=(0, self.limit))[0]

    @property
    def width(self) -> float:
        """Width of a bin."""
        return self.limit / self.BINS
