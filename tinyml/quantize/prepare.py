"""A float graph as it will be quantized: rewritten for that, its activations with parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tinyml.errors import ModelError
from tinyml.ir.graph import DType, Graph, QuantParams
from tinyml.passes.fuse_functions import fuse_functions
from tinyml.passes.multiply_by_reciprocals import multiply_by_reciprocals
from tinyml.passes.take_cast_inputs import take_cast_inputs
from tinyml.quantize.activations import (
    Group,
    choose_activation_params,
    separate_constants,
    split_fixed_inputs,
)
from tinyml.quantize.calibrate import CalibrationTable
from tinyml.quantize.masks import bound_masks
from tinyml.quantize.scheme import INT8, Scheme
from tinyml.quantize.split_widths import activation_dtypes, split_widths
from tinyml.quantize.standardized import Standardized, without_standardization


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A float graph whose every operator becomes one of integers, and what its activations get.

    ``standardized`` says what the model does to inputs that stay float32: the graph's own inputs
    stand behind that. ``table`` has a range for every tensor the rewrites made.
    """

    graph: Graph
    table: CalibrationTable
    groups: tuple[Group, ...]
    standardized: tuple[Standardized, ...]
    scheme: Scheme

    @cached_property
    def params(self) -> dict[str, QuantParams]:
        """Scale and zero point by tensor name."""
        return {name: group.params for group in self.groups for name in group.names}

    @cached_property
    def dtypes(self) -> Mapping[str, DType]:
        """The integers' dtype by tensor name."""
        return activation_dtypes(self.graph, self.scheme)


def prepare_to_quantize(graph: Graph, table: CalibrationTable, scheme: Scheme = INT8) -> Prepared:
    """Rewrite a float graph for its integers and choose the parameters of its activations.

    Raises ModelError where a constant is NaN or a tensor has no range: it did not occur in the
    calibration.
    """
    _refuse_nan(graph)
    graph = take_cast_inputs(graph)
    standardized: tuple[Standardized, ...] = ()
    if scheme.activations is DType.INT8:  # a table of int16 would have 65,536 values
        graph, standardized = without_standardization(graph, table)
        graph = fuse_functions(graph)
    graph = separate_constants(multiply_by_reciprocals(graph))
    graph, table = bound_masks(graph, table)
    graph, table = split_widths(graph, table, scheme)
    graph, table = split_fixed_inputs(graph, table, activation_dtypes(graph, scheme))
    groups = choose_activation_params(graph, table, activation_dtypes(graph, scheme))
    return Prepared(
        graph=graph, table=table, groups=groups, standardized=standardized, scheme=scheme
    )


def _refuse_nan(graph: Graph) -> None:
    """No integer stands for what is not a number."""
    for tensor in graph.tensors.values():
        if (
            tensor.data is not None
            and tensor.dtype is DType.FLOAT32
            and np.isnan(tensor.data).any()
        ):
            raise ModelError(
                f"constant '{tensor.name}' {tensor.shape} holds NaN, expected numbers; train the "
                "model again, or take its state before training diverged"
            )
