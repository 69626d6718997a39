"""Figures that sum up outputs."""

from __future__ import annotations

import numpy as np

from tinyml.ir.graph import Array


def predicted_classes(scores: Array) -> Array:
    """Class of each sample: the index of the largest score; of one real score, whether > 0.5."""
    flat = scores.reshape(len(scores), -1)
    if flat.shape[1] == 1:
        return np.asarray(flat[:, 0] > 0.5, np.int64)
    return np.asarray(flat.argmax(axis=1))


def accuracy(scores: Array, labels: Array) -> float:
    """Fraction of samples whose class is the label."""
    return float(np.mean(predicted_classes(scores) == labels))


def agreement(first: Array, second: Array) -> float:
    """Fraction of samples that both score arrays put in the same class."""
    return float(np.mean(predicted_classes(first) == predicted_classes(second)))
