from collections.abc import Iterator
from typing import Any

from draw.functions import function_cases, sigmoid_pairs, wide_function_cases
from single_operator import Draw, Ranges

from tinyml.ir.graph import Graph
from tinyml.ops.tanh import OUTPUT_QUANT, Tanh


def cases() -> Iterator[tuple[Any, Graph, Ranges] | tuple[Any, Graph]]:
    yield from function_cases(Tanh, output=OUTPUT_QUANT)
    yield from wide_function_cases(Tanh, sigmoid_pairs(Draw("tanh int16 scales")))
