from collections.abc import Iterator
from functools import partial

from draw.binary import Parameters, extremum_cases, integer_cases, plain
from draw.moved import with_int16

from tinyml.ir.graph import Graph
from tinyml.ops.minimum import Minimum


def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from real_cases()
    yield from integer_cases(plain(Minimum, "minimum"), "minimum")


@partial(with_int16, every=2)
def real_cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(Minimum, "minimum")
