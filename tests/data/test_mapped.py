"""Large arrays of an .npz stay in their file."""

import zipfile

import numpy as np
import pytest

from tinyml.data import mapped
from tinyml.data.dataset import read_dataset
from tinyml.errors import InputError
from tinyml.ir.graph import DType, Tensor

INPUT = Tensor("x", (1, 5), DType.FLOAT32)


@pytest.fixture(autouse=True)
def _small_arrays_are_large(monkeypatch):
    monkeypatch.setattr(mapped, "LEAST_BYTES", 100)
    monkeypatch.setattr(mapped, "BLOCK_BYTES", 100)


def test_a_large_array_is_mapped_and_holds_the_same_numbers(tmp_path):
    x = np.random.default_rng(0).normal(size=(1000, 5)).astype(np.float32)
    np.savez(tmp_path / "data.npz", x=x, y=np.arange(1000))

    (read,) = read_dataset(tmp_path / "data.npz", [INPUT]).samples

    assert isinstance(read, np.memmap)
    assert np.array_equal(read, x)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64, ">f4"])
def test_a_mapped_array_has_the_dtype_and_order_of_its_file(tmp_path, order, dtype):
    x = np.array(np.arange(200).reshape(40, 5), dtype, order=order)
    np.savez(tmp_path / "data.npz", other=np.zeros(3), x=x)

    with zipfile.ZipFile(tmp_path / "data.npz") as archive:
        read = mapped.map_member(tmp_path / "data.npz", archive.getinfo("x.npy"))

    assert read.dtype == x.dtype
    assert np.array_equal(read, x)


def test_a_packed_array_is_read_at_once(tmp_path):
    x = np.zeros((1000, 5), np.float32)
    np.savez_compressed(tmp_path / "data.npz", x=x)

    (read,) = read_dataset(tmp_path / "data.npz", [INPUT]).samples

    assert not isinstance(read, np.memmap)
    assert np.array_equal(read, x)


def test_the_first_bad_number_is_named_wherever_its_block_is(tmp_path):
    x = np.zeros((1000, 5), np.float32)
    x[701, 3], x[900, 0] = np.inf, np.nan
    np.savez(tmp_path / "data.npz", x=x)

    with pytest.raises(InputError, match=r"holds inf in sample 701 \(bad samples: 2 of 1000\)"):
        read_dataset(tmp_path / "data.npz", [INPUT])
