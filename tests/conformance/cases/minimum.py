from collections.abc import Iterator

from binary import Parameters, extremum_cases

from tinyml.ir.graph import Graph
from tinyml.ops.minimum import Minimum


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(Minimum, "minimum")
