from collections.abc import Iterator

from draw.binary import Parameters
from draw.sum_cases import sum_cases

from tinyml.ir.graph import Graph
from tinyml.ops.sub import Sub


def cases() -> Iterator[tuple[Parameters, Graph]]:
    return sum_cases(Sub, "sub")
