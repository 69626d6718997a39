from pathlib import Path

import pytest
from separable import separable

from tinyml.errors import InputError
from tinyml.ir.graph import DType
from tinyml.quantize.layers_file import check_overrides, read_layers
from tinyml.quantize.observers import ObserverKind
from tinyml.quantize.scheme import Override, Scheme


def read(folder: Path, text: str) -> tuple[Override, ...]:
    (folder / "layers.toml").write_text(text)
    return read_layers(folder / "layers.toml")


def test_tables_become_overrides(tmp_path):
    text = """
[[layer]]
name = "conv*"
observer = "mse"
bits = 4
activations = "int16"
method = ["adaround", "bias-correction"]

[[layer]]
name = "logits"
"""

    first, second = read(tmp_path, text)

    assert first == Override(
        layers="conv*",
        observer=ObserverKind.MEAN_SQUARED_ERROR,
        weight_bits=4,
        activations=DType.INT16,
        methods=("adaround", "bias-correction"),
    )
    assert second == Override(layers="logits")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "key 'layer' is missing, expected a list, each item a table of name, observer"),
        ("layer = 3", "key 'layer' is 3, expected a list"),
        ("[[layer]]", "key 'layer[0].name' is missing, expected a string that is not empty"),
        ("[[layer]]\nname = ''", "key 'layer[0].name' is '', expected a string"),
        ("[[layer]]\nname = 'a'\nbit = 4", "key 'layer[0].bit' is unknown: did you mean 'bits'?"),
        ("[[layer]]\nname = 'a'\nbits = 5", "key 'layer[0].bits' is 5, expected one of 4, 8"),
        ("[[layer]]\nname = 'a'\nbits = '4'", "key 'layer[0].bits' is '4', expected one of 4, 8"),
        (
            "[[layer]]\nname = 'a'\n[[layer]]\nname = 'b'\nobserver = 'max'",
            "key 'layer[1].observer' is 'max', expected one of minmax, moving-average, percentile",
        ),
        (
            "[[layer]]\nname = 'a'\nactivations = 'int4'",
            "key 'layer[0].activations' is 'int4', expected one of int16, int8",
        ),
        (
            "[[layer]]\nname = 'a'\nmethod = 'adaround'",
            "key 'layer[0].method' is 'adaround', expected a list",
        ),
        ("[[layer]]\nname = 'a'\nmethod = ['x']", "there is no method 'x': Known methods are "),
        ("[[layer]]\nname = 'a'\nfloat = true", "layer[0] is to stay float, but the device"),
        ("[[layer]]\nname = 'a'\nactivations = 'float32'", "layer[0] is to stay float, but the"),
        ("[[layer]", "it is no TOML ("),
    ],
)
def test_a_malformed_file_is_refused_with_its_key(tmp_path, text, complaint):
    with pytest.raises(InputError) as refusal:
        read(tmp_path, text)

    assert "layers.toml' is malformed: " + complaint in str(refusal.value)
    assert str(refusal.value).endswith("; docs/quantization.md says what each key means")


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"cannot be read [(]No such file"):
        read_layers(tmp_path / "none.toml")


def test_a_pattern_that_fits_no_layer_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"fits 'depthwize': did you mean 'depthwise'[?]"):
        check_overrides(separable(), (Override(layers="depthwize"),))


def test_bits_of_layers_without_weights_are_refused():
    with pytest.raises(InputError, match="4 bits, but none of these layers has weights: means"):
        check_overrides(separable(), (Override(layers="mean?", weight_bits=4),))


def test_the_last_override_that_says_something_wins_and_depthwise_filters_take_4_bits():
    conv, _, depthwise, *_ = separable().ops
    overrides = (
        Override(layers="*", weight_bits=4),
        Override(layers="conv", weight_bits=8),
        Override(layers="conv", observer=ObserverKind.ENTROPY),
    )
    scheme = Scheme(weight_bits=4, overrides=overrides)

    assert scheme.weight_bits_of(conv) == 8
    assert scheme.observer_of(conv, ObserverKind.MIN_MAX) is ObserverKind.ENTROPY
    assert scheme.weight_bits_of(depthwise) == 4
    assert Scheme(weight_bits=4).weight_bits_of(depthwise) == 8
