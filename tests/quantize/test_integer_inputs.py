"""Models of ids, quantized: ids stay integers, and the rows they pick are the float model's."""

import numpy as np
import pytest
from graphs import float_weights, make_graph

from tinyml.data.dataset import float_samples, quantize_samples
from tinyml.evaluate.oracle import run_float, run_reference
from tinyml.ir.graph import Array, DType, Graph, Tensor
from tinyml.numerics.affine import dequantize
from tinyml.ops.add import Add
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import operators
from tinyml.ops.gather import Gather
from tinyml.ops.one_hot import OneHot
from tinyml.ops.select import Select
from tinyml.passes.orders import prepare_for_device
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.observers import MinMax
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.scheme import Scheme

ROWS = 200
TABLE = float_weights("table", (ROWS, 6))
IDS = np.arange(1600, dtype=np.int32).reshape(-1, 1, 8) * 77 % ROWS


def rows_of(ids: str) -> Gather:
    return Gather(name="rows", inputs=("table", ids), outputs=("rows",), axis=0, batch_dims=0)


def rows() -> Tensor:
    return Tensor("rows", (1, 8, 6), DType.FLOAT32)


def ids_as_floats() -> Graph:
    cast = Cast(name="ids", inputs=("x",), outputs=("ids",), dtype=DType.INT32)
    ends = [Tensor("x", (1, 8), DType.FLOAT32), Tensor("ids", (1, 8), DType.INT32), rows()]
    return make_graph([TABLE, *ends], [cast, rows_of("ids")], ["x"], ["rows"])


def embedding() -> Graph:
    """As Keras 3 spells it: negative ids count from the end of the table."""
    scalars = [
        Tensor(name, (), DType.INT32, data=np.array(value, np.int32))
        for name, value in (("zero", 0), ("size", ROWS))
    ]
    integers = [Tensor(name, (1, 8), DType.INT32) for name in ("x", "moved", "ids")]
    tensors = [TABLE, *scalars, *integers, Tensor("negative", (1, 8), DType.BOOL), rows()]
    less = Comparison(
        name="negative", inputs=("x", "zero"), outputs=("negative",), relation=Relation.LESS
    )
    add = Add(name="moved", inputs=("x", "size"), outputs=("moved",), activation=Activation.NONE)
    chosen = Select(name="ids", inputs=("negative", "moved", "x"), outputs=("ids",), by_row=False)
    return make_graph(tensors, [less, add, chosen, rows_of("ids")], ["x"], ["rows"])


def one_hot() -> Graph:
    values = [
        Tensor(name, (), DType.FLOAT32, data=np.array(value, np.float32))
        for name, value in (("on", 1), ("off", 0))
    ]
    ends = [Tensor("x", (1, 8), DType.INT32), Tensor("y", (1, 8, ROWS), DType.FLOAT32)]
    op = OneHot(name="y", inputs=("x", "on", "off"), outputs=("y",), axis=2, depth=ROWS)
    return make_graph([*values, *ends], [op], ["x"], ["y"])


def signal_to_error(graph: Graph, samples: Array) -> float:
    """Decibels, of the model quantized on the first half and run on the second."""
    inputs = [graph.tensor(name) for name in graph.inputs]
    seen, unseen = (float_samples([half], inputs) for half in np.split(samples, 2))
    quantized = prepare_for_device(quantize_graph(graph, calibrate(graph, seen, MinMax), Scheme()))
    for op in operators(quantized):
        op.to_c(quantized)
    assert [quantized.tensor(name).dtype for name in quantized.inputs] == [DType.INT32]
    (expected,) = run_float(graph, unseen)
    (got,) = run_reference(
        quantized, quantize_samples(unseen, [quantized.tensor(name) for name in quantized.inputs])
    )
    error = dequantize(got, quantized.tensor(quantized.outputs[0]).per_tensor) - expected
    return float(10 * np.log10((expected**2).sum() / max((error**2).sum(), 1e-9)))


@pytest.mark.parametrize("dtype", [np.float32, np.int64])
def test_ids_that_come_as_floats_pick_the_rows_they_name(dtype):
    assert signal_to_error(ids_as_floats(), IDS.astype(dtype)) > 40


@pytest.mark.parametrize("lowest", [0, -ROWS])
def test_an_embedding_wraps_negative_ids(lowest):
    assert signal_to_error(embedding(), IDS * (1 if lowest == 0 else 2) + lowest) > 40


def test_a_one_hot_stands_where_the_id_says():
    assert signal_to_error(one_hot(), IDS) > 40
