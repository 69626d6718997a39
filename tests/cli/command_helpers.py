"""What several command tests look at or set up."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
from ai_edge_litert import schema_py_generated as schema


def listing(folder: Path) -> dict[str, int]:
    """Every path below ``folder`` with the time it last changed."""
    return {str(path): path.stat().st_mtime_ns for path in sorted(folder.rglob("*"))}


def folder_with_tools(folder: Path, names: Sequence[str]) -> str:
    """A value for PATH that has these programs of this computer and no others."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def change_tflite(source: str, target: str, change: Callable[[Any], None]) -> None:
    """Write the model in ``source`` to ``target`` as ``change`` leaves it."""
    model = schema.ModelT.InitFromPackedBuf(Path(source).read_bytes(), 0)
    change(model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    Path(target).write_bytes(bytes(builder.Output()))


def make_unsupported(model) -> None:
    """Turn the third operator's code into UNIQUE and the last one's into a custom operator."""
    for place, builtin in ((2, schema.BuiltinOperator.UNIQUE), (-1, schema.BuiltinOperator.CUSTOM)):
        operator = model.subgraphs[0].operators[place]
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        code = model.operatorCodes[operator.opcodeIndex]
        code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
        code.customCode = "Wavelet"


def open_height(model) -> None:
    image = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    image.shapeSignature = [-1, -1, 6, 2]
