from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tinyml.ir.graph import DType
from tinyml.quantize.layers_file import read_layers
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Override, Scheme
from tinyml.search.layers import Ranking, layers_toml, mixed_recipes
from tinyml.search.options import label_of, options_of, recipe_json

RANKING = Ranking(narrow=("a", "b", "c"), wide=("c", "a/[x]", "b*"))
FOUR = Recipe(scheme=Scheme(weight_bits=4), methods=("bias-correction",))


def test_layers_that_bear_four_bits_get_them_first_and_those_that_hurt_sixteen():
    mixed = list(mixed_recipes(RANKING, Recipe(), Recipe()))

    chosen = [[each.layers for each in recipe.scheme.overrides] for recipe in mixed]
    assert chosen == [["a"], ["a", "b"], ["c"], ["c", "a/[[]x]"]]
    assert {each.weight_bits for recipe in mixed[:2] for each in recipe.scheme.overrides} == {4}
    wide = {each.activations for recipe in mixed[2:] for each in recipe.scheme.overrides}
    assert wide == {DType.INT16}


def test_layers_of_four_bits_have_the_methods_that_are_best_there():
    first = next(mixed_recipes(RANKING, Recipe(methods=("equalize",)), FOUR))

    assert first.methods == ("equalize",)
    assert first.scheme.overrides[0].methods == ("bias-correction",)


def test_a_single_layer_is_not_mixed():
    ranking = Ranking(narrow=("a",), wide=("a",))

    assert list(mixed_recipes(ranking, Recipe(), FOUR)) == []


@pytest.mark.parametrize(
    "name", ["plain", "a;b/c", "a[0]", "what?", "all*", 'quo"te', "back\\slash"]
)
def test_the_file_of_layers_makes_the_overrides_and_names_fit_themselves_alone(tmp_path, name):
    ranking = Ranking(narrow=(name, "other"), wide=(name, "other"))
    path = Path(tmp_path / "layers.toml")
    for recipe in mixed_recipes(ranking, Recipe(), FOUR):
        path.write_text(layers_toml(recipe), encoding="utf-8")

        overrides = read_layers(path)

        assert overrides == recipe.scheme.overrides
        assert fnmatchcase(name, overrides[0].layers)
        assert not fnmatchcase(f"{name}x", overrides[0].layers)


def test_a_scheme_of_layers_says_how_many_there_are():
    overrides = (
        Override(layers="a", weight_bits=4),
        Override(layers="b", weight_bits=4),
        Override(layers="c", activations=DType.INT16),
    )
    recipe = Recipe(scheme=Scheme(overrides=overrides), methods=("equalize",))

    assert label_of(recipe) == "--method equalize (2 layers in 4 bits) (1 layer in 16x8)"
    assert label_of(Recipe()) == "(defaults)"
    assert options_of(recipe) == ("--method", "equalize")
    assert recipe_json(recipe)["layers"][2] == {"name": "c", "activations": "int16"}
