"""Computes the cases of float_cases.py with ``keras.ops``, in a process of its own.

Run as ``python keras_computes.py FILE.npz``. ``CASE/NUMBER`` are the outputs of the case's batch,
or of its first sample where it takes none; ``CASE/gradient`` says whether one reaches an input.
"""

import sys
import warnings

import numpy as np
import tensorflow as tf
from float_cases import FloatCase, computed, float_cases
from keras import ops

from tinyml.ir.graph import Array


def given(case: FloatCase) -> list[Array]:
    return case.batch if case.takes_batches else [array[0] for array in case.samples]


def outputs(case: FloatCase) -> dict[str, Array]:
    operands = [tf.constant(array) for array in given(case)]
    with tf.GradientTape() as tape:
        floats = [operand for operand in operands if operand.dtype == tf.float32]
        tape.watch(floats)
        results = computed(ops, case.graph, operands)
        # Other than the sum, which is the same for any input of a SOFTMAX.
        total = [tf.reduce_sum(result**3) for result in results if result.dtype == tf.float32]
    found = [] if not total or not floats else tape.gradient(total, floats)
    reached = any(np.any(tf.convert_to_tensor(one)) for one in found if one is not None)
    named = {f"{case.name}/{number}": result.numpy() for number, result in enumerate(results)}
    return named | {f"{case.name}/gradient": np.array(reached)}


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # rows of one element, of which Keras doubts the use
    arrays = {}
    for each in float_cases():
        arrays |= outputs(each)
    np.savez(sys.argv[1], **arrays)
