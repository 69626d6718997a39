"""Figures that sum up outputs."""

from __future__ import annotations

from enum import Enum

import numpy as np

from tinyml.ir.graph import Array

# Decibels that stand for no difference: float32 itself has some 150.
EXACT = 200.0


class Metric(Enum):
    """How a model is judged by labels; the values are the names that data files use."""

    ACCURACY = "accuracy"
    RECONSTRUCTION_AUC = "reconstruction_auc"

    @property
    def label(self) -> str:
        """The name for a person to read."""
        return "accuracy" if self is Metric.ACCURACY else "ROC AUC"


def score(metric: Metric, inputs: Array, outputs: Array, labels: Array) -> float:
    """Judge the real ``outputs`` for real ``inputs``, both (N, ...), by labels (N,).

    An autoencoder is judged by how well the error of its reconstruction tells anomalies (label 1)
    from what is normal (label 0).
    """
    return score_verdicts(metric, verdicts(metric, inputs, outputs), labels)


def verdicts(metric: Metric, inputs: Array, outputs: Array) -> Array:
    """What the metric needs of each sample, (N,): its class, or the error of its reconstruction."""
    if metric is Metric.ACCURACY:
        return predicted_classes(outputs)
    return reconstruction_errors(inputs, outputs)


def score_verdicts(metric: Metric, found: Array, labels: Array) -> float:
    """Judge ``verdicts`` by labels, both (N,)."""
    if metric is Metric.ACCURACY:
        return float(np.mean(found == labels))
    return roc_auc(found, labels)


def predicted_classes(scores: Array) -> Array:
    """Class of each sample: the index of the largest score; of one real score, whether > 0.5."""
    flat = scores.reshape(len(scores), -1)
    if flat.shape[1] == 1:
        return np.asarray(flat[:, 0] > 0.5, np.int64)
    return np.asarray(flat.argmax(axis=1))


def reconstruction_errors(inputs: Array, outputs: Array) -> Array:
    """Mean squared difference of each sample's output from its input."""
    difference = outputs.reshape(len(outputs), -1) - inputs.reshape(len(inputs), -1)
    return np.asarray(np.mean(np.square(difference, dtype=np.float64), axis=1))


def roc_auc(scores: Array, labels: Array) -> float:
    """Area under the receiver operating characteristic.

    It is the probability that a sample of label 1 scores higher than one of label 0, an equal
    score counting half (Fawcett, "An introduction to ROC analysis", section 7). There must be
    samples of both labels.
    """
    normal = np.sort(scores[labels == 0])
    anomalous = scores[labels == 1]
    below = np.searchsorted(normal, anomalous, "left")
    not_above = np.searchsorted(normal, anomalous, "right")
    return float(np.mean(below + not_above) / (2 * len(normal)))


def agreement(first: Array, second: Array) -> float:
    """Fraction of samples that both score arrays put in the same class."""
    return float(np.mean(predicted_classes(first) == predicted_classes(second)))


def signal_to_error(expected: Array, got: Array) -> float:
    """Decibels from the power of ``expected`` to that of what ``got`` differs by, of any shape."""
    error = np.asarray(got, np.float64) - expected
    return decibels(power(expected), power(error))


def power(values: Array) -> float:
    """Sum of the squares, in double."""
    return float(np.square(values, dtype=np.float64).sum())


def decibels(signal: float, error: float) -> float:
    """Ratio of two powers, within +-EXACT: no error at all is EXACT."""
    if error == 0:
        return EXACT
    if signal == 0:
        return -EXACT
    return float(np.clip(10 * np.log10(signal / error), -EXACT, EXACT))
