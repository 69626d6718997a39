from collections.abc import Iterator

from binary import Parameters, extremum_cases

from tinyml.ir.graph import Graph
from tinyml.ops.maximum import Maximum


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(Maximum, "maximum")
