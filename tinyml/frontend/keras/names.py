"""Keras's own names for the tensors of a converted model.

The converter calls an input ``serving_default_image:0``, a result ``StatefulPartitionedCall_1:1``,
puts several results in an order of its own, and names what is between by every TensorFlow operator
that was fused into it. Users know their inputs, outputs and layers: a tensor that is a layer's
output gets that layer's name, and inputs and outputs come in the order the model was built with.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

IDENTIFIER = b"TFL3"


def restore_names(
    data: bytes, inputs: Mapping[str, str], outputs: Mapping[str, str], layers: Iterable[str]
) -> bytes:
    """Return the ``.tflite`` in ``data`` with the names of the Keras model it was made from.

    ``inputs`` and ``outputs`` map the names of its signature's inputs and outputs, in order, to
    those they are to have; ``layers`` are the layers' names.
    """
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    if not model.signatureDefs:  # the converter writes none for a model that looks words up
        return data
    subgraph, signature = model.subgraphs[0], model.signatureDefs[0]
    sources = {item.name.decode(): item.tensorIndex for item in signature.inputs}
    results = {item.name.decode(): item.tensorIndex for item in signature.outputs}
    if outputs.keys() != results.keys():  # nested in a way of its own: its names are the best known
        outputs = {name: name for name in sorted(results)}
    subgraph.inputs = [sources[key] for key in inputs if key in sources]
    subgraph.outputs = [results[name] for name in outputs]
    names = {sources[key]: name for key, name in inputs.items() if key in sources}
    for key, name in outputs.items():
        names.setdefault(results[key], name)
    for index, name in _layer_names(subgraph, frozenset(layers), set(names.values())).items():
        names.setdefault(index, name)
    _rename(subgraph, names)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())


def _layer_names(subgraph: Any, layers: frozenset[str], taken: set[str]) -> dict[int, str]:
    """Return a name for each tensor made inside a layer: ``dense``, or ``dense/MatMul`` on the way.

    The last tensor made inside a layer is that layer's output, unless that one is in ``taken``.
    """
    names: dict[int, str] = {}
    last: dict[str, int] = {}
    for index in (int(index) for operator in subgraph.operators for index in operator.outputs):
        decorated = subgraph.tensors[index].name.decode()
        if layer := _layer(decorated, layers):
            names[index] = f"{layer}/{decorated.split(';')[0].split('/')[-1]}"
            last[layer] = index
    return names | {index: layer for layer, index in last.items() if layer not in taken}


def _layer(name: str, layers: frozenset[str]) -> str | None:
    """Return the layer in the converter's ``name``, or None.

    Of ``model_1/stem_relu_1/Relu;model_1/stem_1/convolution;...`` the first part is the operator
    that was computed last. Keras numbers the scope of each call, so ``stem_relu`` became
    ``stem_relu_1``.
    """
    for scope in reversed(name.split(";")[0].split("/")[:-1]):
        for candidate in (re.sub(r"_\d+$", "", scope), scope):
            if candidate in layers:
                return candidate
    return None


def _rename(subgraph: Any, names: Mapping[int, str]) -> None:
    """Give tensors their new names, except where another tensor has that name already."""
    taken = {
        tensor.name.decode()
        for index, tensor in enumerate(subgraph.tensors)
        if index not in names and tensor.name
    }
    for index, name in names.items():
        if name not in taken:
            subgraph.tensors[index].name = name.encode()
            taken.add(name)
