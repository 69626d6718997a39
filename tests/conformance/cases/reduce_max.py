from collections.abc import Iterator

from reduced import Parameters, extremum_cases

from tinyml.ir.graph import Graph
from tinyml.ops.reduce_max import ReduceMax


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(ReduceMax)
