"""From a float graph and training data to an int8 graph that was trained as such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.data.dataset import Dataset, check_dataset, drawn_samples, inputs_of, quantize_samples
from tinyml.errors import ToolchainError
from tinyml.evaluate.oracle import run_reference
from tinyml.ir.graph import Array, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.scheme import INT8, Scheme
from tinyml.runtime.tflite import RuntimeFailedError
from tinyml.train.finetune import TuneResult, Tuning, tune
from tinyml.train.numbers import in_numpy
from tinyml.train.qat import convert_qat, prepare_qat, qat_layer
from tinyml.train.quiet import native_stderr_silenced

# Samples that ranges are calibrated on before training, and that a trained model is judged by.
CALIBRATION_SAMPLES = 300
AGREEMENT_SAMPLES = 200
# In steps: what float32 leaves of the same integer.
SAME = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far the int8 graph's outputs are from what was trained, in steps of their scales.

    ``equal`` is the share of numbers that are the same, ``steps`` the most that any is apart.
    """

    samples: int
    equal: float
    steps: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantizeAwareResult:
    """The int8 graph, how training went, and how well both agree; None where no runtime can say."""

    graph: Graph
    tuning: TuneResult
    agreement: Agreement | None


def quantize_aware(
    graph: Graph,
    data: Dataset,
    table: CalibrationTable,
    scheme: Scheme = INT8,
    tuning: Tuning | None = None,
    *,
    ranges: str = "moving-average",
    state: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[int, float], None] | None = None,
) -> QuantizeAwareResult:
    """Train with the integers in sight (``tune``), starting from calibrated ranges, and convert.

    Raises what ``prepare_qat``, ``tune`` and ``convert_qat`` raise.
    """
    tuning = tuning or Tuning()
    data = check_dataset(data, inputs_of(graph))
    with native_stderr_silenced():
        model = prepare_qat(graph, table, scheme, ranges)
        result = tune(model, data, tuning, state=state, resume=resume, on_epoch=on_epoch)
    quantized = convert_qat(model)
    few = drawn_samples(data, AGREEMENT_SAMPLES, tuning.seed + 1)
    try:
        agreement = agreement_of(model, quantized, few.samples)
    except (ToolchainError, RuntimeFailedError):  # nothing of the training is lost for that
        agreement = None
    return QuantizeAwareResult(graph=quantized, tuning=result, agreement=agreement)


def agreement_of(model: Any, quantized: Graph, samples: Sequence[Array]) -> Agreement:
    """Hold the int8 graph that ``convert_qat`` made to the model that was trained.

    ``samples`` is an array (N, *sample shape) per input.
    """
    prepared = prepare_for_device(quantized)
    inputs = [prepared.tensor(name) for name in prepared.inputs]
    integers = run_reference(prepared, quantize_samples(samples, inputs))
    trained = qat_layer(model).tensors(samples, quantized.outputs, training=False)
    tensors = [prepared.tensor(name) for name in prepared.outputs]
    apart = np.concatenate(
        [
            _steps_apart(in_numpy(trained[name]), codes, tensor)
            for name, codes, tensor in zip(quantized.outputs, integers, tensors, strict=True)
        ]
    )
    return Agreement(
        samples=len(samples[0]), equal=float(np.mean(apart < SAME)), steps=float(apart.max())
    )


def _steps_apart(trained: Array, codes: Array, tensor: Tensor) -> Array:
    """Distances in steps of the tensor's scale, of integers without one in ones; 1 dimension."""
    real = codes if tensor.quant is None else dequantize(codes, tensor.quant)
    scale = 1.0 if tensor.quant is None else tensor.scale
    # Bools cannot be subtracted, and small integers would wrap.
    wide = [np.asarray(values, np.float64).reshape(-1) for values in (trained, real)]
    return np.asarray(np.abs(wide[0] - wide[1]) / scale)
