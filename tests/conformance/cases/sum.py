from collections.abc import Iterator

from draw.reduced import CORNERS, Parameters, reduction_graph
from single_operator import Draw

from tinyml.ir.graph import Graph, QuantParams
from tinyml.ops.sum import Sum

# Outputs of the input's scale, ten times as coarse, far finer and far coarser.
OUTPUT_SCALES = (0.05, 0.5, 1e-4, 1e4)


def cases() -> Iterator[tuple[Parameters, Graph]]:
    draw = Draw("sum")
    for parameters in CORNERS:
        yield parameters, reduction_graph(draw, Sum, parameters, draw.quant(0.02, 1.0))
    for scale in OUTPUT_SCALES:
        for source_zero_point, output_zero_point in ((-128, 127), (127, -128), (0, 0), (5, -9)):
            parameters = Parameters(
                shape=(1, 6, 6, 4),
                axes=(1, 2),
                keep_dims=False,
                source=QuantParams.per_tensor(0.05, source_zero_point),
                output=QuantParams.per_tensor(scale, output_zero_point),
            )
            yield parameters, reduction_graph(draw, Sum, parameters, parameters.output)
