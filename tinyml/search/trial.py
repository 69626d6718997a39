"""One trial: a real quantized model, its real memory, and its accuracy on the int8 reference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from tinyml.data.dataset import Dataset, quantize_samples, real_samples
from tinyml.data.metrics import Metric, agreement, score, signal_to_error
from tinyml.errors import InputError, ModelError
from tinyml.evaluate.oracle import run_reference
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import Board
from tinyml.firmware.fit import measure_fit
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, Graph
from tinyml.numerics.affine import dequantize
from tinyml.pipeline import generate_plan, plan_model
from tinyml.plan.plan import Plan
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.recipe import Recipe, calibrate_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What all trials of a search share: a float graph, its data, and the board, if one is given.

    ``goal`` is what kernels are chosen for, as in ``plan_model``.
    ``floats`` is the float model's first output for each sample of ``test``, (N, *shape).
    """

    graph: Graph
    calibration: tuple[Array, ...]
    test: Dataset
    metric: Metric
    floats: Array
    board: Board | None
    goal: str = "speed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a trial found; the field names are keys of the journal and of the JSON.

    ``refused`` says why there is no such model, and then all else is None. ``flash_bytes`` and
    ``ram_bytes`` are those of ``memory_of``. ``accuracy`` is by labels, None without; ``agreement``
    the share of samples in the float model's class; ``signal_to_error`` in decibels, beside it.
    """

    refused: str | None = None
    flash_bytes: int | None = None
    ram_bytes: int | None = None
    arena_bytes: int | None = None
    file_bytes: int | None = None
    accuracy: float | None = None
    agreement: float | None = None
    signal_to_error: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields as plain values."""
        return asdict(self)


def try_recipe(problem: Problem, recipe: Recipe) -> Outcome:
    """Quantize as ``tinyml quantize`` does, plan, link for the board, and run the test samples.

    Raises ToolchainError where a tool is missing: that is no answer about the recipe.
    """
    try:
        calibrated = calibrate_by(recipe, problem.graph, problem.calibration)
        quantized = quantize_graph(calibrated.graph, calibrated.table, recipe.scheme)
        data = write_tflite(quantized)
        graph = read_tflite(data, problem.graph.name)
        plan = plan_model(graph, problem.board, goal=problem.goal)
        flash, ram = memory_of(plan, problem.board)
    except (InputError, ModelError) as error:
        return Outcome(refused=str(error))
    outputs = _outputs(plan.graph, problem.test)
    return Outcome(
        flash_bytes=flash,
        ram_bytes=ram,
        arena_bytes=plan.memory.arena_bytes,
        file_bytes=len(data),
        accuracy=_accuracy(problem, plan.graph, outputs),
        agreement=agreement(outputs, problem.floats),
        signal_to_error=signal_to_error(problem.floats.reshape(outputs.shape), outputs),
    )


def memory_of(plan: Plan, board: Board | None) -> tuple[int, int]:
    """Bytes of flash and of RAM: of the whole image on a board, as ``tinyml inspect`` finds them.

    Without a board, or on the host, those that no compiler has a say in: the constants in flash,
    and arena and state in RAM.
    """
    module = generate_plan(plan)
    if board is None or board.memory is None:
        return module.constant_bytes, module.arena_bytes + module.state_bytes
    fit = measure_fit(module, board)
    return fit.flash_bytes, fit.ram_bytes


def _outputs(prepared: Graph, test: Dataset) -> Array:
    """Real numbers of the first output, (N, *shape)."""
    inputs = [prepared.tensor(name) for name in prepared.inputs]
    codes = run_reference(prepared, quantize_samples(test.samples, inputs))[0]
    quant = prepared.tensor(prepared.outputs[0]).quant
    return codes if quant is None else dequantize(codes, quant)


def _accuracy(problem: Problem, prepared: Graph, outputs: Array) -> float | None:
    test = problem.test
    if test.labels is None:
        return None
    (inputs,) = real_samples(test.samples[:1], [prepared.tensor(prepared.inputs[0])])
    return score(problem.metric, inputs, outputs, test.labels)
