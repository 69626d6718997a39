"""Quantizes a model with another tool: how benchmarks/quantization.py compares them.

    python benchmarks/other_quantizers.py converter MODEL.keras CALIBRATION.npz FOLDER
    python benchmarks/other_quantizers.py ai-edge FLOAT.tflite CALIBRATION.npz FOLDER

Each writes FOLDER/NAME.tflite, int8 inside and at its edges. The second needs ai-edge-quantizer.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np


def main() -> int:
    """Quantize with the one that is named."""
    name, model, data, folder = sys.argv[1], *map(Path, sys.argv[2:])
    with np.load(data) as arrays:
        x = arrays["x"].astype(np.float32)
    quantize = {"converter": converter, "ai-edge": ai_edge}[name]
    (folder / f"{name}.tflite").write_bytes(quantize(model, x))
    return 0


def converter(model: Path, x: Any) -> bytes:
    """TensorFlow's converter: full integer quantization, per channel."""
    import tensorflow as tf

    def samples() -> Iterator[list[Any]]:
        for sample in x:
            yield [sample[None]]

    made = tf.lite.TFLiteConverter.from_keras_model(tf.keras.models.load_model(model))
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    made.representative_dataset = samples
    made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    made.inference_input_type = made.inference_output_type = tf.int8
    return bytes(made.convert())


def ai_edge(model: Path, x: Any) -> bytes:
    """The static int8 recipe of ai-edge-quantizer."""
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    (signature, details), *_ = (
        Interpreter(model_path=str(model)).get_signature_list() or {"main": {"inputs": []}}
    ).items()
    tool = quantizer.Quantizer(str(model))
    tool.load_quantization_recipe(recipe.static_wi8_ai8())
    samples = [{details["inputs"][0]: sample[None]} for sample in x]
    ranges = tool.calibrate({signature: samples})
    return bytes(tool.quantize(ranges).quantized_model)


if __name__ == "__main__":
    sys.exit(main())
