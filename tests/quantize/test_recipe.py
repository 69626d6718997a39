import pytest
from separable import images, separable

from tinyml.errors import InputError
from tinyml.ir.verify import verify_quantized
from tinyml.quantize.calibrate import calibrate
from tinyml.quantize.methods import all_methods
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.post_training import quantize_graph
from tinyml.quantize.recipe import Recipe, calibrate_by
from tinyml.quantize.scheme import Override, Scheme


def test_without_methods_it_is_the_calibration():
    graph = separable()

    calibrated = calibrate_by(Recipe(), graph, images(4))

    assert calibrated.graph == graph
    assert calibrated.table == calibrate(graph, images(4))
    assert calibrated.changes == {}


def test_methods_are_found_by_their_files_and_come_in_one_order():
    assert list(all_methods()) == ["equalize", "adaround", "bias-correction"]


def test_ranges_are_found_after_equalization():
    graph = separable()

    calibrated = calibrate_by(Recipe(methods=("equalize",)), graph, images(4))

    assert calibrated.table == calibrate(calibrated.graph, images(4))
    assert calibrated.table != calibrate(graph, images(4))


@pytest.mark.parametrize("methods", [(name,) for name in all_methods()] + [tuple(all_methods())])
def test_what_methods_leave_can_be_quantized(methods):
    recipe = Recipe(methods=methods)

    calibrated = calibrate_by(recipe, separable(), images(4))

    verify_quantized(quantize_graph(calibrated.graph, calibrated.table, recipe.scheme))
    assert list(calibrated.changes) == [name for name in all_methods() if name in methods]


def test_the_observer_is_the_recipes():
    narrow = calibrate_by(
        Recipe(observer=ObserverKind.PERCENTILE, percentile=90), separable(), images(4)
    )

    assert narrow.table.ranges["image"][1] < images(4).max()


def test_a_method_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(InputError, match=r"no method 'equalise': did you mean 'equalize'[?] "):
        Recipe(methods=("equalise",))


def test_without_samples_and_ranges_there_is_nothing_to_find_ranges_in():
    with pytest.raises(InputError, match="samples are needed, for there are none"):
        calibrate_by(Recipe(), separable())


def test_overrides_choose_observers_and_methods_by_layer():
    graph = separable()
    overrides = (
        Override(layers="point*", observer=ObserverKind.PERCENTILE),
        Override(layers="*", methods=()),
        Override(layers="logits", methods=("bias-correction",)),
    )
    recipe = Recipe(
        scheme=Scheme(overrides=overrides), percentile=80, methods=("equalize", "adaround")
    )

    calibrated = calibrate_by(recipe, graph, images(4))

    plain = calibrate(graph, images(4)).ranges
    differing = {name for name in plain if calibrated.table.ranges[name] != plain[name]}
    assert differing == {"pointwise"}
    assert {m: list(layers) for m, layers in calibrated.changes.items()} == {
        "bias-correction": ["logits"]
    }
