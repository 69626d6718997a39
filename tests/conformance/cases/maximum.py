from collections.abc import Iterator
from functools import partial

from draw.binary import Parameters, extremum_cases
from draw.moved import with_int16

from tinyml.ir.graph import Graph
from tinyml.ops.maximum import Maximum


@partial(with_int16, every=2)
def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(Maximum, "maximum")
