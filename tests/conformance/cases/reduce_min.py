from collections.abc import Iterator
from functools import partial

from draw.moved import with_int16
from draw.reduced import Parameters, extremum_cases

from tinyml.ir.graph import Graph
from tinyml.ops.reduce_min import ReduceMin


@partial(with_int16, every=1)
def cases() -> Iterator[tuple[Parameters, Graph]]:
    yield from extremum_cases(ReduceMin)
