from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, sigmoid_pairs, wide_function_cases
from single_operator import Draw, Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.logistic import OUTPUT_QUANT, Logistic


def cases() -> Iterator[tuple[Any, Graph, Ranges] | tuple[Any, Graph]]:
    yield from function_cases(Logistic, output=OUTPUT_QUANT)
    yield from function_cases(Logistic, in_float=True)
    yield from wide_function_cases(Logistic, sigmoid_pairs(Draw("logistic int16 scales")))
