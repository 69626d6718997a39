"""Weights of four bits: read as int8, they give the bytes the reference gives with them packed."""

from dataclasses import replace

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from merged import device_outputs, differences, generate, merge, with_zero_biases
from references import reference_of
from single_operator import Case, cases_of, samples_of

from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.firmware.boards import load_board
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Array, DType
from tinyml.kernels import all_candidates
from tinyml.ops.contract.c import Isa
from tinyml.runtime.tflite import run_tflite

OPERATORS = ("conv_2d", "depthwise_conv_2d", "fully_connected")
CASES = 30
BOARDS = ("host", "mps2-an385", "mps2-an386", "mps3-an547")
# Where they are forced, layers run in them that are too small to pay.
FOUR_BIT_KERNELS = [candidate for candidate in all_candidates() if candidate.name.endswith("_s4")]


def four_bit_cases(operator: str) -> list[Case]:
    """Cases whose weights fit four bits, or are made to."""
    return [narrowed(case) for case in cases_of(operator) if is_eligible(case)][:CASES]


def is_eligible(case: Case) -> bool:
    """The reference takes packed weights of int8 operators with a bias."""
    tensors = case.graph.tensors
    per_tensor = case.parameters.per_channel is False or not case.name.startswith("fully")
    return tensors["source"].dtype is DType.INT8 and "bias" in tensors and per_tensor


def narrowed(case: Case) -> Case:
    weights = case.graph.tensor("weights")
    data = (weights.constant.astype(np.int16) // 16).astype(np.int8)
    return replace(case, graph=case.graph.with_tensors(replace(weights, data=data)))


def packed_model(case: Case) -> bytes:
    """The case's model with its weights in four bits.

    The operators keep int8's versions: the reference has the kernels, but no reference resolver
    registers the versions that came with them for all three operators.
    """
    model = schema.ModelT.InitFromPackedBuf(write_tflite(with_zero_biases(case.graph)), 0)
    (weights,) = (t for t in model.subgraphs[0].tensors if t.name == b"weights")
    values = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.uint8) & 15
    pairs = np.pad(values, (0, values.size % 2)).reshape(-1, 2)
    weights.type = schema.TensorType.INT4
    model.buffers[weights.buffer].data = (pairs[:, 0] | pairs[:, 1] << 4).astype(np.uint8)
    return packed(model)


def packed(model: schema.ModelT) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def as_bytes(samples: Array) -> Array:
    return samples.reshape(len(samples), -1).view(np.int8)


@pytest.mark.parametrize("board_name", BOARDS)
@pytest.mark.parametrize("operator", OPERATORS)
def test_weights_of_four_bits_give_the_bytes_of_the_reference_kernels(
    operator, board_name, tmp_path
):
    cases = four_bit_cases(operator)
    models = [packed_model(case) for case in cases]
    read = [
        replace(case, graph=read_tflite(model, case.name))
        for case, model in zip(cases, models, strict=True)
    ]
    merged = merge(read)
    board = load_board(board_name)
    module = generate(merged.graph, "int4", frozenset([Isa(board.isa)]), FOUR_BIT_KERNELS)

    expected = [
        as_bytes(run_tflite(model, samples_of(case), reference_of(case.graph))[0])
        for case, model in zip(cases, models, strict=True)
    ]
    different = differences(
        merged, expected, device_outputs(merged, module, board, tmp_path / "fw")
    )

    assert len(cases) == CASES
    assert not different, "\n".join(different)


def test_a_model_with_packed_weights_is_written_with_the_same_ones_in_int8():
    (case, *_) = four_bit_cases("conv_2d")

    read = read_tflite(packed_model(case), case.name)

    assert read_tflite(write_tflite(read), case.name) == read
    np.testing.assert_array_equal(
        read.tensor("weights").constant, case.graph.tensor("weights").constant
    )


def test_an_activation_of_four_bits_is_refused():
    (case, *_) = four_bit_cases("conv_2d")
    model = schema.ModelT.InitFromPackedBuf(packed_model(case), 0)
    model.subgraphs[0].tensors[0].type = schema.TensorType.INT4

    with pytest.raises(ModelError, match="is int4 and no constant"):
        read_tflite(packed(model), case.name)


def test_too_few_bytes_of_packed_weights_are_refused():
    (*_, case) = four_bit_cases("conv_2d")
    model = schema.ModelT.InitFromPackedBuf(packed_model(case), 0)
    (weights,) = (t for t in model.subgraphs[0].tensors if t.name == b"weights")
    model.buffers[weights.buffer].data = model.buffers[weights.buffer].data[:-1]

    with pytest.raises(InputError, match="its buffer has"):
        read_tflite(packed(model), case.name)
