"""Attributes of an ONNX node that remember who asked: what nobody looked at must be the default."""

from __future__ import annotations

from typing import Any

import onnx

from tinyml.errors import ModelError
from tinyml.frontend.onnx.file import FileNode

# What changes nothing of what an operator computes here: a shape that the weights have too, the
# number of its outputs, the order of indices that MaxPool may give, what training alone looks at.
WITHOUT_EFFECT = frozenset({"kernel_shape", "num_outputs", "storage_order", "momentum"})


class ReadAttributes(dict[str, Any]):
    """The attributes of one node, and the names that were looked up."""

    def __init__(self, attributes: Any) -> None:
        super().__init__(attributes)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Look one up."""
        self.asked.add(name)
        return super().get(name, default)

    def require_read(self, node: FileNode, opset: int) -> None:
        """Refuse an attribute that no reader knows, as a newer opset may have brought one."""
        unknown = self.keys() - self.asked - WITHOUT_EFFECT
        if not unknown:
            return
        declared = onnx.defs.get_schema(node.op_type, opset).attributes
        for name in sorted(unknown):
            if name not in declared or self[name] != _default(declared[name]):
                raise ModelError(
                    f"{node.op_type} '{node.outputs[0]}': the attribute {name}={self[name]} is not "
                    "supported; export the model with an older opset or without it"
                )


def _default(schema: Any) -> Any:
    value = onnx.helper.get_attribute_value(schema.default_value)
    return value.decode() if isinstance(value, bytes) else value
