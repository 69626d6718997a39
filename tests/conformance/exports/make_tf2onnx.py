"""Converts the Keras models of make_tensorflow.py to ONNX with tf2onnx.

python make_tf2onnx.py FOLDER MODEL...
"""

import sys
from importlib.metadata import version
from pathlib import Path

import tensorflow as tf
import tf2onnx
from make_tensorflow import trained


def main():
    folder = Path(sys.argv[1])
    for name in sys.argv[2:]:
        model = trained(name)
        signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        path = folder / f"tf2onnx-{version('tf2onnx')}-{name}.float.onnx"
        tf2onnx.convert.from_keras(model, signature, opset=15, output_path=str(path))


if __name__ == "__main__":
    main()
