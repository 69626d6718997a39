"""AdaRound: whether each weight is rounded up or down (Nagel et al., arXiv 2004.10568).

The nearest integer is best for a weight alone; for what a layer computes, errors had better cancel.
Each weight has a variable whose rectified sigmoid is the part of a step it is rounded up by, and
which a regularizer drives to 0 or 1 (equations 21 to 24). The error is that of the layer's sums, as
in the paper's equation 21: a linear reconstruction, without the activation function of equation 25,
from the inputs that the float model gives. As it depends on the samples by their second moments
alone, an iteration costs one product of the rows' errors with those, and no look at the data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.quantize.method import Improved, Method, Task
from tinyml.quantize.parameters import symmetric_params
from tinyml.quantize.second_moments import (
    Columned,
    columned_layers,
    rows_of,
    second_moments,
    weights_of,
)
from tinyml.quantize.weights import rounded_weights

# The paper takes 10,000 with batches of samples; without their noise more than this gain nothing.
ITERATIONS = 4_000
WARM_UP = 0.2  # of the iterations, without the regularizer
# Of costs in steps: the 0.01 of the paper, whose costs are in the units of a layer's sums.
REGULARIZER = 1.0
BETA = (20.0, 2.0)  # from the end of the warm-up to the last iteration
LEARNING_RATE = 1e-2
# Power of every tap beside that of the samples, whose taps have 1 on average.
UNSEEN = 0.01
# The rectified sigmoid: stretched beyond [0, 1] by a tenth at either end, and cut off.
ZETA, GAMMA = 1.1, -0.1
# Grids tried, in parts of the one that holds the largest weight.
GRIDS = np.linspace(1.0, 0.4, 31)


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows of weights (groups, rows, taps) in steps of their scale, and what their errors cost.

    ``moments`` (groups, taps, taps) are scaled so that an error of one step in one tap costs 1.
    """

    rows: Array
    moments: Array
    largest: int

    def costs(self, integers: Array) -> Array:
        """Squared error of each row's sums, (groups, rows)."""
        errors = integers - self.rows
        return np.asarray(((errors @ self.moments) * errors).sum(axis=2))

    @property
    def nearest(self) -> Array:
        """Every weight rounded to the nearest integer."""
        return np.clip(np.rint(self.rows), -self.largest, self.largest)


def adaround(graph: Graph, task: Task, iterations: int = ITERATIONS) -> Improved:
    """Round the weights of every layer so that its sums err least; they carry their scales."""
    layers = [op for op in columned_layers(graph) if task.allows(op.name)]
    moments = second_moments(graph, layers, task)
    changes: dict[str, str] = {}
    with task.progress("rounding", len(layers)) as update:
        for done, (op, moment) in enumerate(zip(layers, moments, strict=True), start=1):
            weights, changes[op.name] = _rounded(graph, op, moment, task, iterations)
            graph = graph.with_tensors(weights)
            update(done)
    return Improved(graph, changes)


METHOD = Method(apply=adaround, rank=2)


def _rounded(
    graph: Graph, op: Columned, moments: Array, task: Task, iterations: int
) -> tuple[Tensor, str]:
    """Weights on the best grid, rounded, and how much less their layer's sums err."""
    nearest = rounded_weights(graph, op, task.scheme)
    weights = graph.tensor(op.inputs[1])
    if nearest.quant is None or np.array_equal(nearest.constant, weights.constant):
        return weights, "weights are on their grid already"
    moments, largest = _normalized(moments), task.scheme.weight_max(op)
    scales = np.array(nearest.quant.scale, np.float32)
    rows = rows_of(op, weights.constant.astype(np.float64))
    scales = _best_scales(rows, moments, scales, largest)
    problem = _problem(rows, moments, scales, largest)
    integers = _optimized(problem, iterations)
    quant = symmetric_params(scales, nearest.quant.quantized_dimension)
    data = dequantize(weights_of(op, integers, weights.shape), quant)
    rounded = replace(weights, dtype=DType.FLOAT32, quant=quant, data=data)
    before, after = (
        _signal_to_error(rows, rows_of(op, each.constant), moments) for each in (nearest, rounded)
    )
    return rounded, f"sums {before:.1f} dB before, {after:.1f} dB after"


def _normalized(moments: Array) -> Array:
    """Moments of each group with a mean of 1 along the diagonal, and a little more on it.

    What the samples leave at zero is rounded to the nearest so, and not at will.
    """
    taps = moments.shape[1]
    means = np.trace(moments, axis1=1, axis2=2) / taps
    scaled = moments / np.where(means > 0, means, 1)[:, None, None]
    return np.asarray(scaled + UNSEEN * np.eye(taps))


def _problem(rows: Array, moments: Array, scales: Array, largest: int) -> Problem:
    per_row = scales.reshape(rows.shape[0], rows.shape[1], 1) if scales.size > 1 else scales
    return Problem(rows / per_row, moments, largest)


def _best_scales(rows: Array, moments: Array, scales: Array, largest: int) -> Array:
    """Of a grid as wide as the weights and narrower ones, that of least error in the sums.

    The paper takes the least error in the weights (section 3, "MSE").
    """
    tried = GRIDS.astype(np.float32)[:, None] * scales
    costs = []
    for each in tried:
        problem = _problem(rows, moments, each, largest)
        steps = np.broadcast_to(each, (rows.shape[0] * rows.shape[1],))
        row_costs = problem.costs(problem.nearest).reshape(-1) * steps.astype(np.float64) ** 2
        costs.append(row_costs if scales.size > 1 else row_costs.sum(keepdims=True))
    best = np.argmin(costs, axis=0)
    return np.asarray(tried[best, np.arange(scales.size)])


def _optimized(problem: Problem, iterations: int) -> Array:
    """Integers of the rows: rounded as was learned, or to the nearest where that errs less."""
    floors = np.floor(problem.rows)
    lower = np.clip(floors, -problem.largest, problem.largest)
    upper = np.clip(floors + 1, -problem.largest, problem.largest)
    ups = _learned(problem, lower, upper, iterations)
    learned, nearest = np.where(ups, upper, lower), problem.nearest
    is_better = problem.costs(learned) < problem.costs(nearest)
    return np.where(is_better[..., None], learned, nearest)


def _learned(problem: Problem, lower: Array, upper: Array, iterations: int) -> Array:
    """Which weights are rounded up, by Adam on the variables of equation 23, in float32."""
    rows, moments = problem.rows.astype(np.float32), problem.moments.astype(np.float32)
    lower, steps = lower.astype(np.float32), (upper - lower).astype(np.float32)
    parts = np.clip(rows - np.floor(rows), 1e-4, 1 - 1e-4)
    variables = -np.log((ZETA - GAMMA) / (parts - GAMMA) - 1)
    optimizer = Adam(variables)
    for iteration in range(iterations):
        sigmoids = 1 / (1 + np.exp(-variables))
        ups = np.clip(sigmoids * (ZETA - GAMMA) + GAMMA, 0, 1)
        inside = (ups > 0) & (ups < 1)
        if not inside.any():
            break
        slopes = 2 * ((lower + steps * ups - rows) @ moments) * steps
        progress = (iteration / iterations - WARM_UP) / (1 - WARM_UP)
        if progress >= 0:
            slopes -= _regularizer_slopes(ups, BETA[0] + (BETA[1] - BETA[0]) * progress)
        slopes *= inside * sigmoids * (1 - sigmoids) * (ZETA - GAMMA)
        optimizer.descend(slopes)
    return np.asarray(variables >= 0)


def _regularizer_slopes(ups: Array, beta: float) -> Array:
    """How fast |2h - 1|^beta rises: what equation 24 takes from 1, so that 0 and 1 cost nothing."""
    distances = 2 * ups - 1
    return np.asarray(REGULARIZER * 2 * beta * np.sign(distances) * np.abs(distances) ** (beta - 1))


class Adam:
    """Kingma and Ba's optimizer (arXiv 1412.6980, algorithm 1) of one array, changed in place."""

    def __init__(self, variables: Array) -> None:
        self._variables = variables
        self._mean, self._square = np.zeros_like(variables), np.zeros_like(variables)
        self._steps = 0

    def descend(self, slopes: Array) -> None:
        """Take one step."""
        self._steps += 1
        self._mean += 0.1 * (slopes - self._mean)
        self._square += 0.001 * (slopes**2 - self._square)
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        self._variables -= LEARNING_RATE * mean / (np.sqrt(square) + 1e-8)


def _signal_to_error(rows: Array, rounded: Array, moments: Array) -> float:
    """Power of a layer's sums over that of their error, in dB."""
    errors = rounded - rows
    signal, error = (((each @ moments) * each).sum() for each in (rows, errors))
    return 10 * float(np.log10(signal / error)) if error else np.inf
