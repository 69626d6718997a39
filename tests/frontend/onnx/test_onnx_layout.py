"""Views of tensors: which ONNX dimension lies where, and what brings it elsewhere."""

import numpy as np
import pytest

from tinyml.frontend.onnx.layout import (
    View,
    axis_last_places,
    channels_last_places,
    plain_view,
    rearrangement,
    stored_places,
)

# An image (N, C, H, W) = (1, 3, 4, 5) that lies in a tensor as (N, H, W, C).
STORED = (1, 4, 5, 3)
IMAGE = View("image", (1, 3, 4, 5), (0, 3, 1, 2))


def value_of(view: View, stored: np.ndarray) -> np.ndarray:
    """The ONNX value that a view of a tensor is."""
    known = [place for place in view.order if place is not None]
    rest = [place for place in range(stored.ndim) if place not in known]
    return stored.transpose(*known, *rest).reshape(view.shape)


def test_an_input_lies_as_onnx_has_it():
    assert plain_view("x", (1, 3, 4)).is_plain
    assert not IMAGE.is_plain


def test_transposing_changes_the_view_alone():
    moved = IMAGE.transposed((0, 2, 3, 1))

    assert (moved.tensor, moved.shape, moved.order) == ("image", STORED, (0, 1, 2, 3))
    assert moved.is_plain


def test_dimensions_of_one_come_and_go_without_an_operator():
    without = IMAGE.reshaped((3, 4, 5))

    assert (without.shape, without.order) == ((3, 4, 5), (3, 1, 2))
    assert without.reshaped((1, 3, 1, 4, 5)).shape == (1, 3, 1, 4, 5)


@pytest.mark.parametrize("shape", [(1, 12, 5), (1, 4, 3, 5), (60,)])
def test_no_view_changes_other_dimensions(shape):
    assert IMAGE.reshaped(shape) is None


def test_a_value_of_fewer_dimensions_is_lifted_in_front():
    assert View("v", (3, 4), (1, 0)).lifted(4) == View("v", (1, 1, 3, 4), (None, None, 1, 0))


def test_rows_of_samples_are_images_of_height_one():
    assert channels_last_places(4) == (0, 2, 3, 1)
    assert channels_last_places(3) == (0, None, 2, 1)


def test_a_value_is_stored_with_as_many_dimensions_as_its_tensor():
    row = View("image", (1, 3, 1, 5), (0, 3, 1, 2)).reshaped((1, 3, 5))

    assert stored_places(row, 4) == (0, None, 2, 1)
    assert stored_places(plain_view("x", (2, 3)), 2) == (0, 1)


def test_what_does_not_fit_the_tensor_goes_to_the_end():
    view = View("v", (1, 1, 1, 3, 4), (None, None, None, 1, 0))

    assert stored_places(view, 2) == (4, 3, 0, 1, 2)


@pytest.mark.parametrize(
    ("places", "axis", "expected"),
    [((0, 2, 3, 1), 1, (0, 2, 3, 1)), ((0, 2, 3, 1), 3, (0, 1, 2, 3)), ((0, 1, 2), 1, (0, 2, 1))],
)
def test_an_axis_comes_last_with_as_little_change_as_can_be(places, axis, expected):
    assert axis_last_places(places, axis) == expected


@pytest.mark.parametrize("places", [(0, 1, 2, 3), (0, 2, 3, 1), (3, 0, 1, 2), (0, None, 1, 2, 3)])
def test_a_rearrangement_brings_the_elements_where_they_are_asked_for(places):
    stored = np.arange(60).reshape(STORED)
    value = value_of(IMAGE, stored)

    change = rearrangement(IMAGE, STORED, places)

    moved = stored if change.permutation is None else stored.transpose(change.permutation)
    dimensions = [place for place in places if place is not None]
    expected = value.transpose(dimensions).reshape(change.shape)
    np.testing.assert_array_equal(moved.reshape(change.shape), expected)


def test_moving_dimensions_of_one_moves_no_element():
    view = View("v", (1, 1, 4, 5), (0, 3, 1, 2))

    assert rearrangement(view, (1, 4, 5, 1), (0, 1, 2, 3)).permutation is None
