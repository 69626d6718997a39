"""Quantization-aware training: from a float graph to a Keras model, and from that to an int8 graph.

What is trained is what the device computes: ``quantization_rule`` says where integers stand, here
as in post-training quantization, and ``Operator.compute`` what an operator makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml.errors import InputError, ModelError, ToolchainError
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics import arrays
from tinyml.ops.contract.operator import operators
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.post_training import assign_integers
from tinyml.quantize.prepare import prepare_to_quantize
from tinyml.quantize.scheme import INT8, Scheme
from tinyml.quantize.simulate import FloatHooks, run_graph

# A batch as small as can be told from one sample.
BATCH = 3


def prepare_qat(
    graph: Graph,
    table: CalibrationTable,
    scheme: Scheme = INT8,
    ranges: str = "moving-average",
) -> Any:
    """Make a ``keras.Model`` that computes a float graph as the device will, and can be trained.

    Its inputs and outputs are float32 (N, *sample shape): outputs are the real numbers behind the
    device's integers. Weights and biases are trained, and with ``ranges="learned"`` scales too
    (arXiv 1903.08066); with "moving-average" activations' ranges follow the batches of training
    (arXiv 1806.08342, section 3.2). ``convert_qat`` takes the model after training, compiled and
    fitted however one likes.

    Raises:
        ModelError: an operator cannot be trained yet, or the graph cannot take several samples.
        InputError: ``ranges`` has another value.
        ToolchainError: TensorFlow is not installed.
    """
    prepared = prepare_to_quantize(graph, table, scheme)
    check_trainable(prepared.graph)
    assign_integers(prepared)  # refuses what the device has no integers for, before training
    try:
        import keras

        from tinyml.train.qat_layer import QatLayer
        from tinyml.train.scales import Ranges
    except ImportError as error:
        raise ToolchainError(
            "quantization-aware training needs TensorFlow, which is not installed: "
            "run pip install 'tinyml[keras]'"
        ) from error
    if ranges not in {kind.value for kind in Ranges}:
        expected = " or ".join(repr(kind.value) for kind in Ranges)
        raise InputError(f"ranges are {ranges!r}, expected {expected}")
    tensors = [prepared.graph.tensor(name) for name in prepared.graph.inputs]
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype.value) for tensor in tensors]
    layer = QatLayer(prepared, Ranges(ranges))
    return keras.Model(inputs, layer(inputs), name=f"{graph.name}_qat")


def convert_qat(model: Any) -> Graph:
    """Give the int8 or 16x8 graph of what ``prepare_qat`` made, as it is trained now.

    Raises InputError where it is another model, ModelError where a weight is NaN: training
    diverged.
    """
    prepared = qat_layer(model).trained()
    for tensor in prepared.graph.tensors.values():
        if tensor.data is not None and not np.isfinite(tensor.data).all():
            raise ModelError(
                f"weights '{tensor.name}' are not finite, expected numbers: training diverged; "
                "start again with a smaller learning rate"
            )
    return assign_integers(prepared)


def qat_layer(model: Any) -> Any:
    """The layer that ``prepare_qat`` put into a model; InputError where there is none."""
    for layer in getattr(model, "layers", ()):
        if type(layer).__name__ == "QatLayer":
            return layer
    raise InputError(
        f"the model is {model!r}, expected one that tinyml.prepare_qat made; pass that one"
    )


def check_trainable(graph: Graph) -> None:
    """Refuse what has no gradient, or cannot take several samples at a time.

    Raises ModelError with the name of the operator.
    """
    trained: set[str] = set()
    for op in operators(graph):
        rule = op.quantization_rule(graph)
        reached = trained.intersection(op.present_inputs)
        reason = op.without_compute
        if reached and not op.differentiable:
            reason = "it has no gradient"
        if reason:
            raise op.error(f"cannot be trained yet: {reason}; quantize the model without --qat")
        if rule.weights or reached:
            trained.update(op.outputs)
    _check_batches(graph)


def _check_batches(graph: Graph) -> None:
    """Hold a batch to the samples one by one: some graphs mix what lies along the first axis."""
    tensors = [graph.tensor(name) for name in graph.inputs]
    for tensor in tensors:
        if tensor.shape[:1] != (1,):
            raise ModelError(
                f"input '{tensor.name}' has shape {tensor.shape}, expected a first dimension of 1, "
                "along which training puts its batch"
            )
    batch = _batch(tensors)
    rows = [{name: array[i : i + 1] for name, array in batch.items()} for i in range(BATCH)]
    together, singles = _outputs(graph, batch), [_outputs(graph, row) for row in rows]
    for name, value in together.items():
        expected = np.concatenate([single[name] for single in singles])
        if value.shape != expected.shape or not _are_close(value, expected):
            raise ModelError(
                f"output '{name}' {graph.tensor(name).shape} mixes what lies along the first "
                "axis, so that the model cannot be trained in batches; quantize it without --qat"
            )


def _batch(tensors: Sequence[Tensor]) -> dict[str, Array]:
    """Normal numbers of each float input, zeros of the others: ids that every table has."""
    generator = np.random.default_rng(0)
    return {
        tensor.name: generator.standard_normal((BATCH, *tensor.shape[1:]), np.float32)
        if tensor.dtype is DType.FLOAT32
        else np.zeros((BATCH, *tensor.shape[1:]), tensor.dtype.numpy)
        for tensor in tensors
    }


def _are_close(value: Array, expected: Array) -> bool:
    """In whatever order sums were made; a logarithm of less than 0 is NaN in both."""
    return np.allclose(value, expected, 1e-3, 1e-4, equal_nan=True)


def _outputs(graph: Graph, inputs: dict[str, Array]) -> dict[str, Array]:
    with np.errstate(all="ignore"):  # the numbers are any, and some have no logarithm
        return run_graph(graph, arrays, inputs, FloatHooks(), graph.outputs)
