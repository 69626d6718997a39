"""Takes a CONV_2D of several groups apart: SPLIT, a convolution of each part, CONCATENATION.

TFLite says nothing of groups: the weights take fewer channels than the input has. Every output
channel is computed as before, from its own group's channels.
"""

from __future__ import annotations

from dataclasses import replace

from tinyml.ir.graph import Graph, Op, Tensor
from tinyml.ops.concatenation import Concatenation
from tinyml.ops.conv_2d import Conv2D
from tinyml.ops.onnx.groups import slice_of_group
from tinyml.ops.split import Split


def split_groups(graph: Graph) -> Graph:
    """Rewrite every such convolution; those whose channels do not divide stay as they are."""
    for op in graph.ops:
        if isinstance(op, Conv2D) and (groups := _groups(graph, op)) > 1:
            graph = _split(graph, op, groups)
    return graph


def _groups(graph: Graph, op: Conv2D) -> int:
    source, weights = (graph.tensor(name) for name in op.inputs[:2])
    ranks = {len(source.shape), len(weights.shape)}
    if ranks != {4} or not weights.is_constant or 0 in weights.shape:
        return 1
    groups, rest = divmod(source.shape[3], weights.shape[3])
    return groups if rest == 0 and groups > 0 and weights.shape[0] % groups == 0 else 1


def _split(graph: Graph, op: Conv2D, groups: int) -> Graph:
    source, output = graph.tensor(op.inputs[0]), graph.tensor(op.outputs[0])
    count = output.shape[-1] // groups
    added, ops, results = list[Tensor](), list[Op](), list[str]()
    parts = tuple(f"{op.name}/part_{index}" for index in range(groups))
    ops.append(Split(name=parts[0], inputs=(source.name,), outputs=parts, axis=3))
    for index, part in enumerate(parts):
        parameters = [graph.tensor(name) for name in op.present_inputs[1:]]
        own = [slice_of_group(tensor, index, count) for tensor in parameters]
        result = replace(output, name=f"{op.name}/group_{index}", shape=(*output.shape[:3], count))
        shape = (*source.shape[:3], source.shape[3] // groups)
        added += [*own, result, replace(source, name=part, shape=shape, data=None)]
        inputs = (part, *(tensor.name for tensor in own))
        ops.append(replace(op, name=result.name, inputs=inputs, outputs=(result.name,)))
        results.append(result.name)
    ops.append(Concatenation(name=op.name, inputs=tuple(results), outputs=op.outputs, axis=3))
    whole = [each for old in graph.ops for each in (ops if old is op else (old,))]
    return replace(graph.with_tensors(*added), ops=tuple(whole)).pruned()
