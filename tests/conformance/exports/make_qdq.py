"""Quantizes ONNX models to QDQ form with ONNX Runtime.

python make_qdq.py FOLDER int8|uint8 FILE...
"""

import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

TYPES = {"int8": QuantType.QInt8, "uint8": QuantType.QUInt8}


class Samples(CalibrationDataReader):
    def __init__(self, path):
        inputs = ort.InferenceSession(str(path)).get_inputs()
        rng = np.random.default_rng(3)
        self.rows = iter(
            {i.name: rng.normal(size=i.shape).astype(np.float32) for i in inputs} for _ in range(20)
        )

    def get_next(self):
        return next(self.rows, None)


def main():
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    for path in map(Path, sys.argv[3:]):
        model = path.stem.split("-")[-1].split(".")[0]
        quantize_static(
            path,
            folder / f"onnxruntime-{ort.__version__}-{model}.qdq_{kind}.onnx",
            Samples(path),
            quant_format=QuantFormat.QDQ,
            activation_type=TYPES[kind],
            weight_type=QuantType.QInt8,
            per_channel=True,
            extra_options={"ActivationSymmetric": False},
        )


if __name__ == "__main__":
    main()
