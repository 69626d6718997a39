import pytest
from golden import assert_golden
from graphs import branches_int8, small_float, small_int8
from modules import module_of

from tinyml.ir.text import format_graph
from tinyml.ops.contract.c import PORTABLE
from tinyml.passes.orders import prepare_for_device


@pytest.mark.parametrize(
    ("name", "make"),
    [("small_int8", small_int8), ("small_float", small_float), ("branches", branches_int8)],
)
def test_the_text_of_a_graph(name, make):
    assert_golden(f"{name}.txt", format_graph(make()))


def test_the_text_of_a_graph_prepared_for_the_device():
    graph = prepare_for_device(branches_int8(per_channel=True))

    assert_golden("branches.device.txt", format_graph(graph))


@pytest.mark.parametrize(("name", "make"), [("small", small_int8), ("branches", branches_int8)])
@pytest.mark.parametrize("ending", [".h", ".c", "_weights.c"])
def test_the_generated_c(name, make, ending):
    module = module_of(prepare_for_device(make()), name, PORTABLE, cmsis_nn=5)

    assert_golden(f"{name}{ending}", module.files[f"{name}{ending}"])
