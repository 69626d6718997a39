"""What operators say of the runtimes: whose kernels have their bytes, and how far off LiteRT is."""

from functools import cache

import numpy as np
import pytest
from merged import differences, merge, merged_in_batches, outputs_on, reference_outputs
from single_operator import Case, some_cases

from tinyml.evaluate.oracle import Oracles
from tinyml.ir.graph import Graph
from tinyml.numerics.fixed_point import quantize_multiplier
from tinyml.ops.contract.operator import operators
from tinyml.ops.contract.oracles import Oracle
from tinyml.ops.fully_connected import FullyConnected
from tinyml.passes.orders import prepare_for_device
from tinyml.runtime.tflite import RUNTIMES, RuntimeFailedError

INSTALLED = [oracle for oracle in Oracle if RUNTIMES[oracle].is_installed]
# The first is everybody's first choice, and where tflite-runtime's optimized kernels count at all
# they are.
OTHERS = [each for each in INSTALLED[1:] if each is not Oracle.TFLITE_RUNTIME_OPTIMIZED]


@cache
def prepared_cases() -> list[tuple[Case, Graph]]:
    return [(case, prepare_for_device(case.graph)) for case in some_cases()]


def is_other_choice(oracle: Oracle, graph: Graph) -> bool:
    """Whether it counts for all operators and is not the first choice of each here."""
    counts = all(oracle in op.oracles_in(graph) for op in operators(graph))
    return counts and set(Oracles(graph).runtimes) != {RUNTIMES[oracle]}


@pytest.mark.parametrize("oracle", OTHERS, ids=lambda oracle: oracle.name)
def test_kernels_that_operators_name_give_the_bytes_of_their_first_choice(oracle):
    cases = [case for case, graph in prepared_cases() if is_other_choice(oracle, graph)]
    different: list[str] = []
    for merged in merged_in_batches(cases):
        got = outputs_on(merged, RUNTIMES[oracle])
        different += differences(merged, reference_outputs(merged), got)

    assert cases
    assert not different, "\n".join(different)


def vanishes(graph: Graph) -> bool:
    """Whether a layer's multiplier is so small that its integers are 0: LiteRT computes on."""
    for op in graph.ops:
        if isinstance(op, FullyConnected):
            source, weights, output = map(graph.tensor, (*op.inputs[:2], op.outputs[0]))
            scales = weights.quant.scale
            reals = [source.scale * scale / output.scale for scale in scales]
            return any(quantize_multiplier(real) == (0, 0) for real in reals)
    return False


def test_litert_is_off_by_no_more_than_operators_say():
    cases = [
        case
        for case, graph in prepared_cases()
        if any(op.litert not in op.oracles_in(graph) for op in operators(graph))
        and not vanishes(graph)
    ]
    refused: set[str] = set()
    for case in cases:
        merged = merge([case])
        (expected,) = reference_outputs(merged)
        (op,) = operators(merged.graph)
        try:
            got = outputs_on(merged, RUNTIMES[op.litert])[0]
        except RuntimeFailedError:
            refused.add(case.name.rpartition("_")[0])
            continue
        dtype = merged.graph.tensor(op.outputs[0]).dtype.numpy
        off = got.view(dtype).astype(np.int64) - expected.view(dtype)

        assert np.abs(off).max() <= op.litert_error(merged.graph), case

    # To int32, which TFLite Micro alone has; with ELU, of which LiteRT has the optimized kernel.
    assert refused <= {"quantize", "function"}
    assert {case.name.rpartition("_")[0] for case in cases} >= {"fully_connected", "ceil", "round"}
