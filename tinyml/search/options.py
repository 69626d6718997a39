"""Recipes to try, and each as the options of ``tinyml quantize``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinyml.ir.graph import DType
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.recipe import Recipe
from tinyml.quantize.scheme import Scheme
from tinyml.search.layers import layers_json

DEFAULT = Recipe()
INT16 = Scheme(activations=DType.INT16)


def options_of(recipe: Recipe) -> tuple[str, ...]:
    """Options of ``tinyml quantize`` that make the recipe, without those that are its defaults.

    What single layers have besides is in the file for ``--layers`` (``layers_toml``).
    """
    given, scheme = list[str](), recipe.scheme
    if not scheme.per_channel:
        given += ["--weights", "per-tensor"]
    if scheme.weight_bits != DEFAULT.scheme.weight_bits:
        given += ["--weight-bits", str(scheme.weight_bits)]
    if scheme.activations is not DEFAULT.scheme.activations:
        given += ["--activations", scheme.activations.value]
    if recipe.observer is not DEFAULT.observer:
        given += ["--observer", recipe.observer.value]
    if recipe.percentile != DEFAULT.percentile:
        given += ["--percentile", f"{recipe.percentile:g}"]
    if recipe.methods:
        given += ["--method", ",".join(recipe.methods)]
    return tuple(given)


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    """Plain values, the same for equal recipes alone."""
    return {"options": list(options_of(recipe)), "layers": layers_json(recipe)}


def label_of(recipe: Recipe) -> str:
    """The recipe in a few words: its options, and how many layers have others."""
    overrides = recipe.scheme.overrides
    narrow = sum(each.weight_bits == 4 for each in overrides)
    wide = sum(each.activations is DType.INT16 for each in overrides)
    words = list(options_of(recipe))
    for count, kind in ((narrow, "4 bits"), (wide, "16x8")):
        words += [f"({count} layer{'s' if count > 1 else ''} in {kind})"] if count else []
    return " ".join(words) or "(defaults)"


def whole_model_recipes() -> Iterator[Recipe]:
    """Every layer alike: each observer, coarser weights with what makes up for them, finer ones."""
    for observer in ObserverKind:
        yield Recipe(observer=observer)
    yield Recipe(scheme=Scheme(per_channel=False))
    yield Recipe(scheme=Scheme(per_channel=False), methods=("equalize",))
    yield Recipe(methods=("bias-correction",))
    yield Recipe(scheme=Scheme(weight_bits=4))
    yield Recipe(scheme=Scheme(weight_bits=4), methods=("bias-correction",))
    yield Recipe(scheme=Scheme(weight_bits=4), methods=("adaround", "bias-correction"))
    yield Recipe(scheme=INT16)
    yield Recipe(scheme=Scheme(activations=DType.INT16, weight_bits=4))
