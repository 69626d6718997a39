"""The passes a quantized graph goes through on its way to the device, in order."""

from __future__ import annotations

from tinyml.ir.graph import Graph
from tinyml.ir.verify import verify_quantized
from tinyml.passes.fuse_dilation import fuse_dilation
from tinyml.passes.fuse_float_functions import fuse_float_functions
from tinyml.passes.join_standardization import join_standardization
from tinyml.passes.lower_per_channel_fully_connected import lower_per_channel_fully_connected
from tinyml.passes.move_integers import move_integers
from tinyml.passes.strip_edges import strip_edges

DEVICE_PASSES = (
    fuse_float_functions,
    join_standardization,
    move_integers,
    strip_edges,
    fuse_dilation,
    lower_per_channel_fully_connected,
)


def prepare_for_device(graph: Graph) -> Graph:
    """Give the graph whose operators run on the device one by one; verified after every pass."""
    for rewrite in DEVICE_PASSES:
        graph = rewrite(graph)
        verify_quantized(graph)
    return graph
