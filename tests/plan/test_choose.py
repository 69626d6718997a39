import pytest
from graphs import activation, add, dequantize, make_graph, pad, quantize, relu, small_int8

from tinyml.errors import ModelError
from tinyml.ops.contract.c import Isa
from tinyml.ops.contract.target import Target
from tinyml.plan.choose import choose_kernels

ANY_CORE = Target(cmsis_nn=5)


def test_every_operator_gets_a_kernel():
    graph = small_int8()

    steps = choose_kernels(graph, ANY_CORE)

    assert [step.op for step in steps] == list(graph.ops)
    assert all(step.kernel.calls or step.kernel.alias for step in steps)


def test_portable_scratch_is_the_most_any_core_needs():
    graph = small_int8()
    alone = [choose_kernels(graph, Target(isas=frozenset([isa]), cmsis_nn=5)) for isa in Isa]

    for step, *others in zip(choose_kernels(graph, ANY_CORE), *alone, strict=True):
        assert step.kernel.scratch_bytes >= max(one.kernel.scratch_bytes for one in others)


def test_operators_without_a_kernel_are_all_listed_with_their_place():
    rank5 = (1, 1, 1, 1, 2)
    tensors = [
        activation("x", rank5),
        activation("padded", rank5),
        activation("twice", rank5),
        activation("real", rank5, None),
        activation("back", rank5),
    ]
    ops = [
        pad("padded", "x", [(0, 0)] * 5),
        add("twice", "padded", "padded"),
        dequantize("real", "twice"),
        quantize("back", "real"),
    ]

    with pytest.raises(ModelError) as refusal:
        choose_kernels(make_graph(tensors, ops, ["x"], ["back"]), ANY_CORE)

    lines = str(refusal.value).splitlines()
    assert lines[0] == "3 of the model's 4 operators cannot run on the device:"
    assert lines[1].startswith("  operator 0: PAD 'padded': input 'x' has more than 4 dimensions")
    assert lines[2].startswith("  operator 2: DEQUANTIZE 'real'")
    assert lines[3].startswith("  operator 3: QUANTIZE 'back'")


def test_a_float_operator_is_to_blame_and_not_the_conversions_around_it():
    tensors = [
        activation("x", (1, 4)),
        *(activation(name, (1, 4), None) for name in ("real", "rectified")),
        activation("back", (1, 4)),
    ]
    ops = [dequantize("real", "x"), relu("rectified", "real"), quantize("back", "rectified")]

    with pytest.raises(ModelError) as refusal:
        choose_kernels(make_graph(tensors, ops, ["x"], ["back"]), ANY_CORE)

    first, *lines = str(refusal.value).splitlines()
    assert first == "1 of the model's 3 operators cannot run on the device:"
    (line,) = lines
    assert line.startswith("  operator 1: RELU 'rectified': computes with floats ('real')")
