"""From a trained network to Arm Cortex-M firmware, proven bit-exact before a board is touched.

The functions below are the pipeline's arrows, imported when first used::

    graph = tinyml.load_model("model.keras")
    table = tinyml.calibrate(graph, samples)
    quantized = tinyml.quantize_graph(graph, table)
    build = tinyml.build_model(quantized, tinyml.load_board("mps2-an386"), "firmware")

docs/python.md goes through all of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tinyml.arguments import checked

if TYPE_CHECKING:
    from tinyml.data.dataset import Dataset as Dataset
    from tinyml.data.dataset import read_dataset as read_dataset
    from tinyml.device.run import run_on_device as run_on_device
    from tinyml.errors import TinymlError as TinymlError
    from tinyml.evaluate.compare import compare_model as compare_model
    from tinyml.export.onnx import write_onnx as write_onnx
    from tinyml.export.tflite import write_tflite as write_tflite
    from tinyml.firmware.boards import load_board as load_board
    from tinyml.frontend.load import load_model as load_model
    from tinyml.ir.graph import DType as DType
    from tinyml.package.folder import write_module as write_module
    from tinyml.pipeline import build_model as build_model
    from tinyml.pipeline import generate_model as generate_model
    from tinyml.quantize.calibrate import calibrate as calibrate
    from tinyml.quantize.observers import MinMax as MinMax
    from tinyml.quantize.post_training import quantize_graph as quantize_graph
    from tinyml.quantize.scheme import Scheme as Scheme
    from tinyml.report.facts import describe_model as describe_model
    from tinyml.train.qat import convert_qat as convert_qat
    from tinyml.train.qat import prepare_qat as prepare_qat

__version__ = "0.1.0"

# Public name to the module that defines it: importing tinyml must cost nothing.
_PUBLIC = {
    "DType": "tinyml.ir.graph",
    "Dataset": "tinyml.data.dataset",
    "MinMax": "tinyml.quantize.observers",
    "Scheme": "tinyml.quantize.scheme",
    "TinymlError": "tinyml.errors",
    "build_model": "tinyml.pipeline",
    "calibrate": "tinyml.quantize.calibrate",
    "compare_model": "tinyml.evaluate.compare",
    "convert_qat": "tinyml.train.qat",
    "describe_model": "tinyml.report.facts",
    "generate_model": "tinyml.pipeline",
    "load_board": "tinyml.firmware.boards",
    "load_model": "tinyml.frontend.load",
    "prepare_qat": "tinyml.train.qat",
    "quantize_graph": "tinyml.quantize.post_training",
    "read_dataset": "tinyml.data.dataset",
    "run_on_device": "tinyml.device.run",
    "write_module": "tinyml.package.folder",
    "write_onnx": "tinyml.export.onnx",
    "write_tflite": "tinyml.export.tflite",
}


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'tinyml' has no attribute '{name}'")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    if not isinstance(value, type):
        value = checked(value)
        value.__module__ = __name__  # where pickle looks for it
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*_PUBLIC, "__version__"])
