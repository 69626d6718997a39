"""Attention."""

from collections.abc import Mapping
from typing import Any

from keras_layers.setting import STEPS, Setting, Source, merging

QUERY, VALUE = Source((4, 8)), Source((6, 8))


def _called(
    layer: str, /, *sources: Source, call: Mapping[str, bool] | None = None, **arguments: Any
) -> Setting:
    return Setting(layer, arguments, sources, call or {})


def _heads(queries: int, shared: int) -> Mapping[str, int]:
    return {"head_dim": 4, "num_query_heads": queries, "num_key_value_heads": shared}


SETTINGS: tuple[Setting, ...] = (
    _called("MultiHeadAttention", STEPS, STEPS, num_heads=2, key_dim=4),
    _called("MultiHeadAttention", QUERY, VALUE, num_heads=2, key_dim=3, value_dim=5),
    _called("MultiHeadAttention", QUERY, VALUE, num_heads=1, key_dim=4, use_bias=False),
    _called(
        "MultiHeadAttention", VALUE, VALUE, call={"use_causal_mask": True}, num_heads=2, key_dim=4
    ),
    _called("GroupQueryAttention", QUERY, VALUE, **_heads(4, 2)),
    _called("GroupQueryAttention", VALUE, VALUE, **_heads(2, 1)),
    merging("Attention", QUERY, VALUE),
    merging("Attention", QUERY, VALUE, use_scale=True),
    merging("Attention", QUERY, VALUE, score_mode="concat", use_scale=True),
    Setting("Attention", {}, (VALUE, VALUE), {"use_causal_mask": True}, listed=True),
    merging("AdditiveAttention", QUERY, VALUE),
    merging("AdditiveAttention", QUERY, VALUE, use_scale=False),
)
