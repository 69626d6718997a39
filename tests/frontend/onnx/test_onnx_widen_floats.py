"""Float16 models are float models: they become float32 while they are read."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tinyml.evaluate.oracle import run_float
from tinyml.frontend.onnx.read import read_onnx
from tinyml.ir.graph import DType

CHANCE = np.random.default_rng(0)
WEIGHTS = CHANCE.normal(size=(4, 3)).astype(np.float16)
BIAS = CHANCE.normal(size=3).astype(np.float16)


def half(*, casts: bool, bias_as_node: bool = False) -> onnx.ModelProto:
    """A Gemm in float16; with ``casts`` the model's own edges are float32."""
    edge = TensorProto.FLOAT if casts else TensorProto.FLOAT16
    source, result = ("h", "g") if casts else ("x", "y")
    nodes = [helper.make_node("Gemm", [source, "w", "b"], [result])]
    if casts:
        nodes.insert(0, helper.make_node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16))
        nodes.append(helper.make_node("Cast", ["g"], ["y"], to=TensorProto.FLOAT))
    weights = [numpy_helper.from_array(WEIGHTS, "w"), numpy_helper.from_array(BIAS, "b")]
    if bias_as_node:
        nodes.insert(0, helper.make_node("Constant", [], ["b"], value=weights.pop()))
    ends = [
        helper.make_tensor_value_info("x", edge, ["batch", 4]),
        helper.make_tensor_value_info("y", edge, ["batch", 3]),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("casts", [False, True])
@pytest.mark.parametrize("bias_as_node", [False, True])
def test_a_float16_model_computes_the_same_in_float32(casts, bias_as_node):
    model = half(casts=casts, bias_as_node=bias_as_node)
    x = CHANCE.normal(size=(8, 1, 4)).astype(np.float32)

    graph = read_onnx(model.SerializeToString(), "m")

    assert {tensor.dtype for tensor in graph.tensors.values()} == {DType.FLOAT32}
    (y,) = run_float(graph, [x])
    given = x[:, 0] if casts else x[:, 0].astype(np.float16)
    (expected,) = ReferenceEvaluator(model).run(None, {"x": given})
    np.testing.assert_allclose(y[:, 0], expected.astype(np.float32), atol=0.01)  # halves: 2^-11


def test_bfloat16_weights_are_widened_too():
    model = half(casts=True)
    raw = (WEIGHTS.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    tensor = model.graph.initializer[0]
    tensor.data_type, tensor.raw_data = TensorProto.BFLOAT16, raw.tobytes()

    graph = read_onnx(model.SerializeToString(), "m")

    (weights,) = (t.constant for t in graph.tensors.values() if t.is_constant and t.size == 12)
    np.testing.assert_array_equal(
        np.sort(weights.reshape(-1)),
        np.sort((raw.astype(np.uint32) << 16).view(np.float32).reshape(-1)),
    )
