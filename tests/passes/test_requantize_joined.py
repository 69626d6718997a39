import numpy as np
import pytest
from graphs import activation, concatenation, make_graph, spread
from references import REFERENCES

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, QuantParams, Tensor
from tinyml.ir.verify import verify_quantized
from tinyml.numerics.affine import dequantize
from tinyml.ops.pack import Pack
from tinyml.passes.requantize_joined import requantize_joined
from tinyml.runtime.tflite import run_tflite

EACH = pytest.mark.parametrize("runtime", REFERENCES, ids=lambda runtime: runtime.package)


def joined(op, shape, second: Tensor | None = None) -> Graph:
    """Inputs of two scales; the output has the first one's."""
    tensors = [
        activation("a", (1, 256), 0.1, 3),
        second or activation("b", (1, 256), 0.25, -9),
        activation("y", shape, 0.1, 3),
    ]
    inputs = [tensor.name for tensor in tensors[:2] if not tensor.is_constant]
    return make_graph(tensors, [op], inputs, ["y"])


CONCATENATION = joined(concatenation("y", "a", "b", axis=1), (1, 512))
PACK = joined(Pack(name="y", inputs=("a", "b"), outputs=("y",), axis=0), (2, 1, 256))


@EACH
def test_runtimes_refuse_to_join_tensors_of_different_scales(runtime):
    samples = [np.zeros((1, 1, 256), np.int8)] * 2

    with pytest.raises(ModelError, match="refuses the model"):
        run_tflite(write_tflite(CONCATENATION), samples, runtime)


@pytest.mark.parametrize("graph", [CONCATENATION, PACK], ids=["concatenation", "pack"])
@EACH
def test_an_input_of_another_scale_is_brought_to_the_outputs(graph, runtime):
    changed = requantize_joined(graph)
    verify_quantized(changed)
    a, b = spread((1, 1, 256), 1), spread((1, 1, 256), 2)

    (result,) = run_tflite(write_tflite(changed), [a, b], runtime)

    first, second = result.reshape(2, 256)
    assert [type(op).__name__ for op in changed.ops[:-1]] == ["Quantize"]
    np.testing.assert_array_equal(first, a.reshape(-1))
    real = dequantize(b.reshape(-1), graph.tensor("b").quant)
    close = np.clip(real, -13.1, 12.4)  # what the output's int8 reaches
    np.testing.assert_allclose(dequantize(second, graph.tensor("y").quant), close, atol=0.051)


def test_a_constant_of_another_scale_is_rounded_at_build_time():
    quant = QuantParams.per_tensor(0.2, 1)
    constant = Tensor("b", (1, 2), DType.INT8, quant, np.array([[1, 6]], np.int8))
    op = concatenation("y", "a", "b", axis=1)

    changed = requantize_joined(joined(op, (1, 258), constant))

    verify_quantized(changed)
    assert len(changed.ops) == 1
    np.testing.assert_array_equal(changed.tensor("y/requantized/b").constant, [[3, 13]])


def test_an_input_that_occurs_twice_is_moved_once():
    op = concatenation("y", "a", "b", "b", axis=1)

    changed = requantize_joined(joined(op, (1, 768)))

    verify_quantized(changed)
    assert [op.name for op in changed.ops] == ["y/requantized/b", "y"]


def test_inputs_of_one_scale_stay():
    op = concatenation("y", "a", "b", axis=1)
    graph = joined(op, (1, 512), activation("b", (1, 256), 0.1, 3))

    assert requantize_joined(graph) == graph


def test_a_file_with_different_scales_is_read_that_way():
    graph = read_tflite(write_tflite(CONCATENATION), "m")

    assert [op.name for op in graph.ops] == ["y/requantized/b", "y"]
