from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, wide_function_cases
from draw.rescaled import wide_rescalings
from single_operator import Draw, Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.abs import Abs


def cases() -> Iterator[tuple[Any, Graph, Ranges] | tuple[Any, Graph]]:
    yield from function_cases(Abs)
    yield from wide_function_cases(Abs, wide_rescalings(Draw("abs int16")))
