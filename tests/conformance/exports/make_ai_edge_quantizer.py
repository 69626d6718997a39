"""Quantizes float .tflite files with ai-edge-quantizer.

python make_ai_edge_quantizer.py FOLDER RECIPE FILE...
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from ai_edge_quantizer import quantizer, recipe

RECIPES = {"a8w8": recipe.static_wi8_ai8, "a16w8": recipe.static_wi8_ai16}


def calibration(path):
    """Twenty samples of each input, for the model's only signature."""
    (name,) = Interpreter(str(path)).get_signature_list()
    details = Interpreter(str(path)).get_signature_runner(name).get_input_details()
    rng = np.random.default_rng(1)
    rows = [
        {key: rng.normal(size=d["shape"]).astype(np.float32) for key, d in details.items()}
        for _ in range(20)
    ]
    return {name: rows}


def main():
    folder, scheme = Path(sys.argv[1]), sys.argv[2]
    for path in map(Path, sys.argv[3:]):
        tool = quantizer.Quantizer(str(path))
        tool.load_quantization_recipe(RECIPES[scheme]())
        data = tool.quantize(tool.calibrate(calibration(path))).quantized_model
        model = path.stem.split("-")[-1].split(".")[0]
        name = f"aiedgequantizer-{version('ai-edge-quantizer')}-{model}.{scheme}.tflite"
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
