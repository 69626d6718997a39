from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, moderate, wide_function_cases, wide_moderate
from single_operator import Draw, Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.exp import Exp


def cases() -> Iterator[tuple[Any, Graph, Ranges] | tuple[Any, Graph]]:
    yield from function_cases(Exp, moderate)
    yield from wide_function_cases(Exp, wide_moderate(Draw("exp int16")))
