import click
import pytest

from tinyml.cli.scheme_options import scheme_options
from tinyml.ir.graph import DType
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.search.options import options_of, whole_model_recipes

EVERYTHING = Recipe(
    scheme=Scheme(per_channel=False, activations=DType.INT16, weight_bits=4),
    observer=ObserverKind.PERCENTILE,
    percentile=99.5,
    methods=("equalize", "bias-correction"),
)


@click.command()
@scheme_options
def read(recipe: Recipe, **_others: object) -> Recipe:
    return recipe


@pytest.mark.parametrize("recipe", [*whole_model_recipes(), EVERYTHING])
def test_the_options_of_a_recipe_make_it(recipe):
    assert read.main(list(options_of(recipe)), standalone_mode=False) == recipe


def test_the_defaults_need_no_options():
    assert options_of(Recipe()) == ()


def test_no_recipe_is_tried_twice():
    recipes = list(whole_model_recipes())

    assert len(set(recipes)) == len(recipes)
    assert recipes[0] == Recipe()
