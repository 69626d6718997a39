from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import (
    activation,
    add,
    float_constant,
    fully_connected,
    int8_weights,
    make_graph,
    reshape,
    spread,
)
from test_read_tflite import patched

from tinyml.errors import ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import DType, Graph, Op, QuantParams, Tensor
from tinyml.ops.contract.activation import Activation
from tinyml.ops.dequantize import Dequantize
from tinyml.ops.mul import Mul
from tinyml.ops.pack import Pack
from tinyml.ops.shape import ShapeOf
from tinyml.ops.strided_slice import StridedSlice
from tinyml.ops.transpose import Transpose
from tinyml.runtime.tflite import float_runtime, run_tflite


def int32(name: str, shape: tuple[int, ...]) -> Tensor:
    return Tensor(name, shape, DType.INT32)


def size_of(output: str, source: str, dimension: int) -> StridedSlice:
    return StridedSlice(
        name=output,
        inputs=(source,),
        outputs=(output,),
        begin=(dimension,),
        end=(dimension + 1,),
        strides=(1,),
        shrink_axis_mask=1,
    )


def open_batch() -> tuple[list[Tensor], list[Op]]:
    """What a converter writes for a reshape to (batch, columns, rows): its shape is computed."""
    tensors = [
        activation("x", (1, 3, 4), None),
        int32("sizes", (3,)),
        *(int32(name, ()) for name in ("batch", "rows", "columns")),
        int32("shape", (3,)),
        activation("y", (1, 4, 3), None),
    ]
    ops = [
        ShapeOf(name="sizes", inputs=("x",), outputs=("sizes",), dtype=DType.INT32),
        size_of("batch", "sizes", 0),
        size_of("rows", "sizes", 1),
        size_of("columns", "sizes", 2),
        Pack(name="shape", inputs=("batch", "columns", "rows"), outputs=("shape",), axis=0),
        reshape("y", "x", (1, 4, 3)),
    ]
    return tensors, ops


def computed_shape(model: Any) -> None:
    """Let the RESHAPE take the shape that the operators before it compute."""
    *_, pack, last = model.subgraphs[0].operators
    last.inputs = [last.inputs[0], pack.outputs[0]]


def names_of(graph: Graph) -> list[str]:
    return [type(op).__name__ for op in graph.ops]


def test_a_shape_computed_from_static_sizes_leaves_a_plain_reshape():
    tensors, ops = open_batch()
    data = patched(make_graph(tensors, ops, ["x"], ["y"]), computed_shape)
    x = spread((1, 1, 3, 4)).astype(np.float32)

    graph = read_tflite(data, "m")

    assert names_of(graph) == ["Reshape"]
    assert list(graph.tensors) == ["x", "y"]
    both = (
        run_tflite(model, [x], float_runtime(graph))[0] for model in (data, write_tflite(graph))
    )
    np.testing.assert_array_equal(*both)


def test_what_is_an_output_of_the_model_stays_computed():
    tensors, ops = open_batch()
    graph = make_graph(tensors[:2], ops[:1], ["x"], ["sizes"])

    assert read_tflite(write_tflite(graph), "hand_made") == graph


def arithmetic(opcode: str, first: list[int], second: list[int], shape: tuple[int, ...]) -> bytes:
    """A model whose output picks, at run time, the rows that an operator on constants gives."""
    numbers = [np.array(values, np.int32) for values in (first, second)]
    tensors = [
        activation("x", (1, 3, 4), None),
        *(Tensor(n, v.shape, DType.INT32, data=v) for n, v in zip("ab", numbers, strict=True)),
        int32("shape", shape),
        activation("y", (1, 4, 3), None),
    ]
    pack = Pack(name="shape", inputs=("a", "b"), outputs=("shape",), axis=0)

    def change(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        code = model.operatorCodes[operator.opcodeIndex]
        code.builtinCode = getattr(schema.BuiltinOperator, opcode)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        computed_shape(model)

    graph = make_graph(tensors, [pack, reshape("y", "x", (1, 4, 3))], ["x"], ["y"])
    return patched(graph, change)


@pytest.mark.parametrize(
    ("opcode", "first", "second", "shape"),
    [
        ("ADD", [1, 2, 3], [0, 2, 0], (3,)),
        ("SUB", [1, 5, 3], [0, 1, 0], (3,)),
        ("MUL", [1, 2, 3], [1, 2, 1], (3,)),
        ("FLOOR_DIV", [2, 8, 6], [2], (3,)),
        ("FLOOR_MOD", [1, 9, 8], [5], (3,)),
        ("MAXIMUM", [1, 4, 1], [1, 1, 3], (3,)),
        ("MINIMUM", [1, 4, 9], [9, 9, 3], (3,)),
        ("FILL", [3], [2], (3,)),
        ("REDUCE_PROD", [1, 4, 3], [0], ()),
    ],
)
def test_arithmetic_on_constants_is_done_while_reading(opcode, first, second, shape):
    assert names_of(read_tflite(arithmetic(opcode, first, second, shape), "m")) == ["Reshape"]


@pytest.mark.parametrize(
    ("opcode", "first", "second", "shape"),
    [
        ("FLOOR_DIV", [1, 2, 3], [1, 0, 1], (3,)),  # no number
        ("FILL", [70_000, 70_000], [1], (70_000, 70_000)),  # too many
        ("FILL", [4], [1], (3,)),  # not what the file says
    ],
)
def test_arithmetic_that_cannot_be_done_is_an_operator_without_support(
    opcode, first, second, shape
):
    with pytest.raises(ModelError, match=f"operator 0: {opcode} 'shape'"):
        read_tflite(arithmetic(opcode, first, second, shape), "m")


@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.INT8])
def test_weights_behind_a_dequantize_become_float32_constants(dtype):
    values = spread((3, 4), 1)
    quant = QuantParams.per_tensor(0.02, 0) if dtype is DType.INT8 else None
    data = values if quant else (values / np.float32(50)).astype(np.float16)
    tensors = [
        activation("x", (1, 4), None),
        Tensor("stored", (3, 4), dtype, quant, data),
        Tensor("w", (3, 4), DType.FLOAT32),
        float_constant("b", [1, 2, 3]),
        activation("y", (1, 3), None),
    ]
    ops = [
        Dequantize(name="w", inputs=("stored",), outputs=("w",)),
        fully_connected("y", "x", "w", "b"),
    ]
    model = write_tflite(make_graph(tensors, ops, ["x"], ["y"]))

    graph = read_tflite(model, "m")

    assert names_of(graph) == ["FullyConnected"]
    assert graph.tensor("w").dtype is DType.FLOAT32
    x = spread((1, 1, 4)).astype(np.float32)
    both = (run_tflite(each, [x], float_runtime(graph))[0] for each in (model, write_tflite(graph)))
    np.testing.assert_array_equal(*both)


def test_moved_constants_are_constants():
    tensors = [
        activation("x", (1, 4), None),
        float_constant("stored", spread((4, 3))),
        Tensor("w", (3, 4), DType.FLOAT32),
        activation("y", (1, 3), None),
    ]
    ops = [
        Transpose(name="w", inputs=("stored",), outputs=("w",), permutation=(1, 0)),
        fully_connected("y", "x", "w"),
    ]

    graph = read_tflite(write_tflite(make_graph(tensors, ops, ["x"], ["y"])), "m")

    assert names_of(graph) == ["FullyConnected"]
    np.testing.assert_array_equal(graph.tensor("w").constant, spread((4, 3)).T)


def first_step(state: Tensor) -> Graph:
    """What a GRU's first step makes of a state of zeros: x times 0, and x again."""
    tensors = [
        activation("x", (1, 4), 0.05, 3),
        state,
        activation("product", (1, 4), 0.05, -128),
        activation("y", (1, 4), 0.05, 3),
    ]
    product = Mul(
        name="product", inputs=("x", "zeros"), outputs=("product",), activation=Activation.NONE
    )
    return make_graph(tensors, [product, add("y", "product", "x")], ["x"], ["y"])


def without_range(model: Any) -> None:
    """The scale that TensorFlow 2.4 gives to a range of nothing."""
    (product,) = [t for t in model.subgraphs[0].tensors if t.name == b"product"]
    product.quantization.scale = [2.0**-134]


@pytest.mark.parametrize("scale", [1.0, 0.0])
def test_a_product_with_zeros_is_zero_whatever_scale_it_was_given(scale):
    quant = QuantParams.per_tensor(scale, 7)
    zeros = Tensor("zeros", (1, 4), DType.INT8, quant, np.full((1, 4), 7, np.int8))
    x = spread((8, 1, 4))

    graph = read_tflite(patched(first_step(zeros), without_range), "m")

    assert names_of(graph) == ["Add"]
    assert np.unique(graph.tensor("product").constant) == [-128]
    (y,) = run_tflite(write_tflite(graph), [x], float_runtime(graph))
    np.testing.assert_array_equal(y, x)


def test_a_product_of_activations_in_a_scale_too_small_is_refused():
    graph = replace(first_step(activation("zeros", (1, 4), 1.0, 7)), inputs=("x", "zeros"))

    with pytest.raises(ModelError, match="tensor 'product' has the scale"):
        read_tflite(patched(graph, without_range), "m")


def test_a_fully_connected_layer_of_zeros_is_zero():
    """What an unrolled LSTM makes of its first state, with weights per channel."""
    zeros = Tensor("zeros", (1, 4), DType.INT8, QuantParams.per_tensor(1.0, 7), np.full((1, 4), 7))
    tensors = [
        activation("x", (1, 3), 0.05, 3),
        replace(zeros, data=zeros.constant.astype(np.int8)),
        int8_weights("w", (3, 4), 0),
        activation("product", (1, 3), 0.05, -128),
        activation("y", (1, 3), 0.05, 3),
    ]
    ops = [fully_connected("product", "zeros", "w"), add("y", "product", "x")]
    graph = make_graph(tensors, ops, ["x"], ["y"])

    read = read_tflite(patched(graph, without_range), "m")

    assert names_of(read) == ["Add"]
    assert np.unique(read.tensor("product").constant) == [-128]


@pytest.mark.parametrize(("scale", "no_range"), [(0.5, False), (0.25, False), (0.5, True)])
def test_a_filled_state_has_the_values_parameters_or_is_not_folded(scale, no_range):
    """Zeros of an LSTM's first state, as many as the batch: int8 like the value they repeat."""
    quant = QuantParams.per_tensor(0.5, 7)
    value = Tensor("value", (), DType.INT8, quant, np.array(7, np.int8))
    sizes = Tensor("sizes", (2,), DType.INT32, data=np.array([1, 4], np.int32))
    tensors = [
        activation("x", (1, 4), 0.05, 3),
        sizes,
        value,
        activation("state", (1, 4), scale, 7),
        activation("y", (1, 4), 0.05, 3),
    ]
    pack = Pack(name="state", inputs=("sizes", "value"), outputs=("state",), axis=0)
    graph = make_graph(tensors, [pack, add("y", "state", "x")], ["x"], ["y"])

    def fill(model: Any) -> None:
        operator = model.subgraphs[0].operators[0]
        code = model.operatorCodes[operator.opcodeIndex]
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FILL
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        for tensor in model.subgraphs[0].tensors:  # 16x8 calibrates nothing to a scale of 0
            if no_range and tensor.name in {b"value", b"state"}:
                tensor.quantization.scale = np.zeros(1, np.float32)

    data = patched(graph, fill)

    if scale == quant.scale[0]:
        read = read_tflite(data, "m")
        assert read.tensor("state").constant.tolist() == [[7, 7, 7, 7]]
    else:
        with pytest.raises(ModelError, match="FILL 'state' is not supported"):
            read_tflite(data, "m")
