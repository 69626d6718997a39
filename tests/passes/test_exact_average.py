import numpy as np
import pytest
from graphs import activation, make_graph

from tinyml.ir.graph import Graph
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.window import Padding
from tinyml.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyml.ops.mean import Mean
from tinyml.passes.exact_average import exact_average


def pooled(
    size=(2, 2), *, padding=Padding.VALID, fused=Activation.NONE
) -> tuple[Graph, AveragePool2D]:
    op = AveragePool2D(
        name="y",
        inputs=("x",),
        outputs=("y",),
        size=size,
        stride=(2, 2),
        padding=padding,
        activation=fused,
    )
    shape = (1, *((4 - length) // 2 + 1 for length in size), 3)
    tensors = [activation("x", (1, 4, 4, 3), None), activation("y", shape, None)]
    return make_graph(tensors, [op], ["x"], ["y"]), op


def test_an_average_of_the_whole_image_is_a_mean():
    (op, constants) = exact_average(*pooled((4, 4)))

    assert (type(op), op.axes, op.keep_dims, constants) == (Mean, (1, 2), True, ())


@pytest.mark.parametrize(
    ("size", "fused"),
    [((2, 2), Activation.RELU), ((3, 2), Activation.NONE), ((4, 4), Activation.RELU)],
)
def test_any_other_average_is_a_depthwise_convolution_with_equal_shares(size, fused):
    (op, (filters, bias)) = exact_average(*pooled(size, fused=fused))

    share = 1 / (size[0] * size[1])
    assert (type(op), op.activation, op.stride) == (DepthwiseConv2D, fused, (2, 2))
    assert filters.shape == (1, *size, 3)
    np.testing.assert_allclose(np.unique(filters.constant), [share])
    assert filters.quant.scale == (np.float32(share),)
    assert not bias.constant.any()


def test_an_average_that_leaves_padding_out_of_its_count_has_no_exact_form():
    assert exact_average(*pooled(padding=Padding.SAME)) is None
