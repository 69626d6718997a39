"""Samples from files: what is read, how it reaches int8 and float models, what is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from graphs import activation

from tinyml.data.dataset import (
    Dataset,
    drawn_samples,
    float_samples,
    plain_name,
    quantize_samples,
    read_dataset,
    real_samples,
    sample_shape,
)
from tinyml.errors import InputError
from tinyml.ir.graph import DType, Tensor
from tinyml.numerics.affine import dequantize, quantize

FLOAT = activation("image", (1, 2, 3), None)
INT8 = activation("image", (1, 2, 3), 0.5, 7)
X = np.arange(24, dtype=np.float32).reshape(4, 2, 3) / 4


def saved(folder: Path, **arrays: object) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("key", ["x", "image"])
def test_samples_are_found_under_x_and_under_the_inputs_name(tmp_path, key):
    data = read_dataset(saved(tmp_path, **{key: X}), [FLOAT])

    assert np.array_equal(data.samples[0], X)
    assert data.labels is None
    assert len(data) == 4


def test_samples_are_found_under_the_name_an_input_had_before_the_converter(tmp_path):
    decorated = activation("serving_default_image:0", (1, 2, 3), None)

    data = read_dataset(saved(tmp_path, image=X), [decorated])

    assert np.array_equal(data.samples[0], X)
    assert plain_name(decorated.name) == "image"


def test_an_npy_holds_the_samples_of_the_only_input(tmp_path):
    np.save(tmp_path / "x.npy", X)

    data = read_dataset(tmp_path / "x.npy", [FLOAT])

    assert np.array_equal(data.samples[0], X)


def test_several_inputs_take_one_array_each_in_the_models_order(tmp_path):
    inputs = [activation("b", (1, 2), None), activation("a", (1, 3), None)]
    a, b = np.ones((5, 3), np.float32), np.zeros((5, 2), np.float32)

    data = read_dataset(saved(tmp_path, a=a, b=b), inputs)

    assert [array.shape for array in data.samples] == [(5, 2), (5, 3)]


@pytest.mark.parametrize("shape", [(4, 2, 3), (4, 1, 2, 3)])
def test_samples_come_with_or_without_the_models_batch_of_one(tmp_path, shape):
    data = read_dataset(saved(tmp_path, x=X.reshape(shape)), [FLOAT])

    (samples,) = float_samples(data.samples, [FLOAT])
    assert np.array_equal(samples, X[:, None])


@pytest.mark.parametrize(
    ("shape", "expected"), [((1, 2, 3), (2, 3)), ((2, 3), (2, 3)), ((1,), ()), ((1, 1), (1,))]
)
def test_a_sample_has_the_inputs_shape_without_its_batch(shape, expected):
    assert sample_shape(activation("x", shape)) == expected


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.bool_])
def test_integers_that_are_not_int8_are_real_numbers(dtype):
    x = np.ones((4, 2, 3), dtype)

    assert np.array_equal(quantize_samples([x], [INT8])[0][:, 0], quantize(X * 0 + 1, INT8.quant))


def test_int8_samples_reach_an_int8_model_as_they_are():
    x = np.arange(24, dtype=np.int8).reshape(4, 2, 3)

    (samples,) = quantize_samples([x], [INT8])

    assert np.array_equal(samples, x[:, None])


def test_float_samples_are_quantized_with_the_inputs_parameters():
    (samples,) = quantize_samples([X], [INT8])

    assert samples.dtype == np.int8
    assert np.array_equal(samples[:, 0], quantize(X, INT8.quant))


IDS = Tensor("serving_default_ids:0", (1, 3), DType.INT32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8, np.int64, np.int32])
@pytest.mark.parametrize("taken", [quantize_samples, float_samples])
def test_whole_numbers_reach_an_integer_input_as_its_dtype(dtype, taken):
    x = np.array([[0, 7, 199], [3, 2, 1]], dtype)

    (samples,) = taken([x], [IDS])

    assert samples.dtype == np.int32
    assert samples.tolist() == [[[0, 7, 199]], [[3, 2, 1]]]


@pytest.mark.parametrize(
    ("ids", "dtype", "message"),
    [
        ([0, 1, 2.5], DType.INT32, "holds 2.5 in sample 0 and reaches from 0.0 to 2.5, expected"),
        ([0, 1, 2**31], DType.INT32, "whole numbers from -2147483648 to 2147483647 for input"),
        ([0, 1, -1], DType.UINT8, "from 0 to 255 for input 'serving_default_ids:0', which is"),
        ([0, 1, 2], DType.BOOL, "expected whole numbers from 0 to 1"),
    ],
)
def test_numbers_that_an_integer_input_does_not_hold_are_refused(tmp_path, ids, dtype, message):
    tensor = Tensor(IDS.name, (1, 3), dtype)

    with pytest.raises(InputError, match=message):
        read_dataset(saved(tmp_path, ids=np.array([ids])), [tensor])
    with pytest.raises(InputError, match="the data of input 'ids' holds"):
        quantize_samples([np.array([ids])], [tensor])


def test_uint8_samples_are_raw_where_the_file_declares_uint8():
    declared = replace(activation("image", (1, 4), 1 / 255, -128), unsigned=True)
    pixels = np.array([[0, 1, 128, 255]], np.uint8)

    (samples,) = quantize_samples([pixels], [declared])
    (real,) = real_samples([pixels], [declared])

    assert samples.tolist() == [[[-128, -127, 0, 127]]]
    assert np.allclose(real, pixels / 255)


def test_raw_int8_samples_stand_for_real_numbers():
    x = np.arange(24, dtype=np.int8).reshape(4, 2, 3)

    real, unchanged = real_samples([x, X], [INT8, INT8])

    assert np.array_equal(real, dequantize(x, INT8.quant))
    assert unchanged is X


@pytest.mark.parametrize("labels", [np.arange(4), np.arange(4, dtype=np.uint8)[:, None]])
def test_labels_are_one_integer_for_each_sample(tmp_path, labels):
    data = read_dataset(saved(tmp_path, x=X, y=labels), [FLOAT])

    assert data.labels.shape == (4,)
    assert np.array_equal(data.labels, np.arange(4))


def test_what_float32_cannot_hold_is_refused_with_its_sample(tmp_path):
    x = X.astype(np.float64)
    x[2, 1, 0] = -1e39

    with pytest.raises(InputError, match=r"holds -1e\+39 in sample 2 \(bad samples: 1 of 4\)"):
        read_dataset(saved(tmp_path, x=x), [FLOAT])


def test_the_largest_float32_is_accepted(tmp_path):
    x = np.full((4, 2, 3), float(np.finfo(np.float32).max))

    assert len(read_dataset(saved(tmp_path, x=x), [FLOAT])) == 4


def test_text_named_metric_says_how_outputs_are_judged(tmp_path):
    judged = saved(tmp_path, x=X, y=np.zeros(4, np.int64), metric=np.array("reconstruction_auc"))

    assert read_dataset(judged, [FLOAT]).metric == "reconstruction_auc"


def test_an_input_of_the_name_metric_is_no_name_of_one(tmp_path):
    numbers = activation("metric", (1, 2, 3), None)

    data = read_dataset(saved(tmp_path, metric=X), [numbers])

    assert np.array_equal(data.samples[0], X)
    assert data.metric == "accuracy"


def test_some_samples_keep_their_order_and_labels():
    few = drawn_samples(Dataset(np.arange(9)[:, None], np.arange(9)), 4, seed=0)

    assert few.labels.tolist() == few.samples[0][:, 0].tolist() == sorted(few.labels)
    assert len(few) == 4
