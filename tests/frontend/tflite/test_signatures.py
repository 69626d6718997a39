"""Files with several signatures: one is chosen by its name."""

from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from graphs import activation, add, make_graph, relu
from test_read_tflite import patched

from tinyml.errors import InputError, ModelError
from tinyml.export.tflite import write_tflite
from tinyml.frontend.tflite.read import read_tflite
from tinyml.ir.graph import Graph


def chain() -> Graph:
    tensors = [activation(name, (1, 4), None) for name in ("in_a", "in_b", "out")]
    return make_graph(tensors, [add("out", "in_a", "in_b")], ["in_a", "in_b"], ["out"])


def signature(key: str, subgraph: int, **tensors: int) -> Any:
    table = schema.SignatureDefT()
    table.signatureKey, table.subgraphIndex = key.encode(), subgraph
    table.inputs, table.outputs = [], []
    for name, index in tensors.items():
        entry = schema.TensorMapT()
        entry.name, entry.tensorIndex = name.encode(), index
        (table.outputs if name == "y" else table.inputs).append(entry)
    return table


def two(model: Any) -> None:
    """'both' adds; 'one' is the same subgraph without its second operand."""
    other = schema.ModelT.InitFromPackedBuf(_alone(), 0)
    model.subgraphs.append(other.subgraphs[0])
    model.operatorCodes.extend(other.operatorCodes)
    other.subgraphs[0].operators[0].opcodeIndex = 1
    model.signatureDefs = [signature("both", 0, a=0, b=1, y=2), signature("one", 1, x=0, y=1)]


def _alone() -> bytes:
    tensors = [activation("one_x", (1, 4), None), activation("one_y", (1, 4), None)]
    return write_tflite(make_graph(tensors, [relu("one_y", "one_x")], ["one_x"], ["one_y"]))


def test_the_choice_among_several_is_asked_for_by_their_names():
    with pytest.raises(
        InputError, match="'m' has 2 signatures, expected one: 'both', 'one'; choose with --sig"
    ):
        read_tflite(patched(chain(), two), "m")


@pytest.mark.parametrize(
    ("name", "inputs", "kind"), [("both", ("a", "b"), "ADD"), ("one", ("x",), "RELU")]
)
def test_the_one_that_is_named_is_read_with_its_own_names(name, inputs, kind):
    graph = read_tflite(patched(chain(), two), "m", name)

    assert (graph.inputs, graph.outputs) == (inputs, ("y",))
    assert [op.kind for op in graph.ops] == [kind]


def test_a_name_that_is_none_of_them_is_refused_with_their_names():
    with pytest.raises(InputError, match="no signature 'three', expected one of 'both', 'one'"):
        read_tflite(patched(chain(), two), "m", "three")


def test_a_file_without_signatures_has_nothing_to_choose_from():
    assert read_tflite(write_tflite(chain()), "hand_made", "any") == chain()


def test_two_names_of_one_subgraph_leave_no_choice():
    def change(model):
        model.signatureDefs = [signature("a", 0), signature("b", 0)]

    assert read_tflite(patched(chain(), change), "hand_made") == chain()


def test_a_subgraph_that_no_signature_names_is_control_flow_all_the_same():
    def change(model):
        two(model)
        model.subgraphs.append(model.subgraphs[0])

    with pytest.raises(ModelError, match="3 subgraphs"):
        read_tflite(patched(chain(), change), "m", "one")


def test_names_that_are_taken_or_said_twice_do_not_count():
    def change(model):
        two(model)
        model.signatureDefs[0].inputs[0].name = b"in_b"  # the name of another tensor
        model.signatureDefs[0].inputs[1].name = model.signatureDefs[0].outputs[0].name = b"same"

    graph = read_tflite(patched(chain(), change), "m", "both")

    assert (graph.inputs, graph.outputs) == (("in_a", "in_b"), ("out",))


def test_a_signature_of_a_subgraph_that_does_not_exist_is_none():
    def change(model):
        two(model)
        model.signatureDefs[1].subgraphIndex = 9
        model.signatureDefs[0].inputs[0].tensorIndex = 99
        model.subgraphs = model.subgraphs[:1]

    assert read_tflite(patched(chain(), change), "m", "both").inputs == ("in_a", "b")


def test_samples_of_a_signature_go_by_its_names(tmp_path):
    from tinyml.data.dataset import read_dataset

    graph = read_tflite(patched(chain(), two), "m", "both")
    path = tmp_path / "x.npz"
    np.savez(path, a=np.zeros((3, 4), np.float32), b=np.ones((3, 4), np.float32))

    dataset = read_dataset(path, [graph.tensor(name) for name in graph.inputs])

    assert dataset.samples[1].max() == 1
