"""Which ONNX nodes are read as several smaller ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tinyml.frontend.onnx import functions as functions
from tinyml.frontend.onnx import recurrent as recurrent
from tinyml.frontend.onnx.steps import Steps

# What writes the nodes of each type; none of them means that an operator class reads the node.
DECOMPOSED: Mapping[str, Callable[[Steps], None]] = {
    "BatchNormalization": functions.batch_normalization,
    "Celu": functions.celu,
    "Elu": functions.elu,
    "GRU": recurrent.gru,
    "GroupNormalization": functions.group_normalization,
    "InstanceNormalization": functions.instance_normalization,
    "LSTM": recurrent.lstm,
    "LayerNormalization": functions.layer_normalization,
    "LogSoftmax": functions.log_softmax,
    "Mish": functions.mish,
    "Pow": functions.power,
    "RNN": recurrent.rnn,
    "RMSNormalization": functions.rms_normalization,
    "ReduceL2": functions.sum_of_squares,
    "ReduceSumSquare": functions.sum_of_squares,
    "Selu": functions.selu,
    "Shrink": functions.shrink,
    "Softplus": functions.softplus,
    "Softsign": functions.softsign,
    "Swish": functions.silu,
    "ThresholdedRelu": functions.thresholded_relu,
}
