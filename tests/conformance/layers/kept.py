"""Layers that keep something from one inference to the next."""

from dataclasses import replace

import numpy as np
from cases import lstm as lstm_cases
from cases import svdf as svdf_cases
from single_operator import OUTPUT, SOURCE

from layers.place import Layer, Place, layer_of
from tinyml.ir.graph import State, Tensor
from tinyml.ops.contract.operator import Operator
from tinyml.ops.variable import AssignVariable, ReadVariable

KEPT = "kept"


def variable(place: Place) -> Layer:
    """The source's value of the inference before; sometimes that of this one."""
    source = place.source
    kept = Tensor(KEPT, source.shape, source.dtype, source.quant)
    ops: list[Operator] = [
        ReadVariable(name=OUTPUT, inputs=(KEPT,), outputs=(OUTPUT,)),
        AssignVariable(name="assign", inputs=(KEPT, SOURCE), outputs=()),
    ]
    if place.draw.chance(1 / 4):
        ops.reverse()
    initial = place.constant(KEPT, source.shape).constant
    state = State(KEPT, np.asarray(initial), KEPT)
    return Layer(ops=tuple(ops), quant=source.quant, kept=(kept,), states=(state,))


def svdf(place: Place) -> Layer | None:
    if len(place.shape) != 2:
        return None
    batches, input_size = place.shape
    drawn = svdf_cases.drawn(place.draw)
    parameters = replace(
        drawn, batches=batches, input_size=input_size, source=place.source.per_tensor
    )
    return layer_of(svdf_cases.svdf_graph(place.draw, parameters))


def lstm(place: Place) -> Layer | None:
    if len(place.shape) != 3:
        return None
    drawn = lstm_cases.drawn(place.draw)
    batches, steps, input_size = place.shape
    if drawn.time_major:
        batches, steps = steps, batches
    parameters = replace(
        drawn,
        batches=batches,
        steps=steps,
        input_size=input_size,
        source=place.source.per_tensor,
    )
    return layer_of(lstm_cases.lstm_graph(place.draw, parameters))
