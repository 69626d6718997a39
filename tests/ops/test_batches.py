"""Batches where samples do not lie apart by themselves; tests/conformance/ has all operators."""

import numpy as np
from graphs import activation, make_graph

from tinyml.ir.graph import DType, Tensor
from tinyml.numerics import arrays
from tinyml.ops.add import Add
from tinyml.ops.contract.activation import Activation
from tinyml.ops.pack import Pack


def test_a_constant_is_repeated_for_each_sample_of_a_batch():
    constant = Tensor("c", (1, 2), DType.FLOAT32, data=np.array([[7, 8]], np.float32))
    op = Pack(name="y", inputs=("x", "c"), outputs=("y",), axis=1)
    graph = make_graph([activation("x", (1, 2), None), constant], [], ["x"], [])

    (packed,) = op.compute(arrays, graph, np.array([[1, 2], [3, 4]], np.float32), constant.data)

    np.testing.assert_array_equal(packed, [[[1, 2], [7, 8]], [[3, 4], [7, 8]]])


def test_activations_of_other_ranks_broadcast_sample_by_sample():
    op = Add(name="y", inputs=("x", "z"), outputs=("y",), activation=Activation.NONE)
    shapes = {"x": (1, 2), "z": (1, 3, 2), "y": (1, 3, 2)}
    graph = make_graph([activation(n, shape, None) for n, shape in shapes.items()], [op], "xz", "y")
    x, z = np.array([[1, 2], [3, 4]], np.float32), np.zeros((2, 3, 2), np.float32)

    (y,) = op.compute(arrays, graph, x, z)

    np.testing.assert_array_equal(y, np.broadcast_to(x[:, None], (2, 3, 2)))
