"""Masked steps of sequences, which a model on a device would not leave out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from tinyml.frontend.keras.inference import every_layer
from tinyml.frontend.keras.refusals import mask_refusal

# Every mask starts with it: a step is masked where no value differs from the mask's.
COMPARES = schema.BuiltinOperator.NOT_EQUAL


def refuse_masked_steps(path: Path, data: bytes, model: Any) -> None:
    """Raise ModelError where a layer of ``model`` masks steps and the ``.tflite`` computes that.

    A mask that no layer looks at is not in the ``.tflite``, and changes nothing.
    """
    names = [layer.name for layer in every_layer(model) if _masks(layer)]
    if names and COMPARES in _operators(data):
        raise mask_refusal(path, names)


def _masks(layer: Any) -> bool:
    return type(layer).__name__ == "Masking" or bool(getattr(layer, "mask_zero", False))


def _operators(data: bytes) -> set[int]:
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    return {max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes}
