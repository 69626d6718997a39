import numpy as np
import pytest
from function_graphs import float_graph, make

from tinyml.errors import ModelError
from tinyml.evaluate.oracle import run_float
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ops.log_softmax import LogSoftmax
from tinyml.passes.spell_log_softmax import spell_log_softmax


@pytest.mark.parametrize("largest", [2, 40])
def test_a_log_softmax_is_read_as_operators_that_give_the_same(largest):
    graph = float_graph({"x": (2, 3, 5)}, make(LogSoftmax))
    x = np.random.default_rng(5).uniform(-largest, largest, (8, 2, 3, 5)).astype(np.float32)

    read = read_tflite(write_tflite(graph), "test")

    assert read.ops == spell_log_softmax(graph).ops
    assert "LogSoftmax" not in {type(op).__name__ for op in read.ops}
    np.testing.assert_allclose(
        run_float(read, [x])[0], run_float(graph, [x])[0], rtol=1e-5, atol=1e-5
    )


def test_one_of_int8_is_refused_with_a_way_out():
    quants = {"x": QuantParams.per_tensor(0.1, 0), "y": QuantParams.per_tensor(1 / 16, 127)}
    tensors = {name: Tensor(name, (1, 4), DType.INT8, quant) for name, quant in quants.items()}
    graph = Graph("test", tensors, (make(LogSoftmax),), ("x",), ("y",))

    with pytest.raises(ModelError, match=r"'x' is int8, .* give the float model to 'tinyml quant"):
        read_tflite(write_tflite(graph), "test")
