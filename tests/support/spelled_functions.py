"""Float graphs of functions of one tensor, x to y, as frameworks spell them."""

from collections.abc import Mapping

import numpy as np
from function_graphs import PLAIN, float_graph, make

from tinyml.ir.graph import DType, Graph, Shape
from tinyml.ops.abs import Abs
from tinyml.ops.add import Add
from tinyml.ops.cast import Cast
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.div import Div
from tinyml.ops.elu import Elu
from tinyml.ops.exp import Exp
from tinyml.ops.families.function import Function
from tinyml.ops.log import Log
from tinyml.ops.logical_and import LogicalAnd
from tinyml.ops.logical_not import LogicalNot
from tinyml.ops.logical_or import LogicalOr
from tinyml.ops.logistic import Logistic
from tinyml.ops.maximum import Maximum
from tinyml.ops.minimum import Minimum
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.prelu import Prelu
from tinyml.ops.relu import Relu
from tinyml.ops.rsqrt import Rsqrt
from tinyml.ops.select import Select
from tinyml.ops.sqrt import Sqrt
from tinyml.ops.square import Square
from tinyml.ops.squared_difference import SquaredDifference
from tinyml.ops.sub import Sub
from tinyml.ops.tanh import Tanh
from tinyml.passes.fuse_functions import fuse_functions

NUMBERS = {"half": 0.5, "one": 1.0, "slope": 0.1, "three": 3.0, "sixth": 1 / 6, "eps": 1e-3}

Steps = tuple[Operator, ...]


def arithmetic(kind: type[Operator], *inputs: str, output: str = "y", **fields: object) -> Operator:
    return make(kind, *inputs, output=output, **{**PLAIN, **fields})


def compared(relation: Relation, other: str, output: str) -> Operator:
    return make(Comparison, "x", other, output=output, relation=relation)


SOFTPLUS: Steps = (
    make(Exp, output="e"),
    arithmetic(Add, "e", "one", output="sum"),
    make(Log, "sum"),
)
SPELLED: Mapping[str, Steps] = {
    "softplus": SOFTPLUS,
    "mish": (
        *SOFTPLUS[:2],
        make(Log, "sum", output="softplus"),
        make(Tanh, "softplus", output="bounded"),
        arithmetic(Mul, "x", "bounded"),
    ),
    "swish": (make(Logistic, output="gate"), arithmetic(Mul, "x", "gate")),
    "leaky by selection": (
        compared(Relation.GREATER, "half", "above"),
        arithmetic(Mul, "x", "slope", output="below"),
        make(Select, "above", "x", "below", by_row=False),
    ),
    "hard sigmoid": (
        arithmetic(Add, "x", "three", output="moved", activation=Activation.RELU6),
        arithmetic(Mul, "moved", "sixth"),
    ),
    "softsign": (
        make(Abs, output="magnitude"),
        arithmetic(Add, "magnitude", "one", output="sum"),
        arithmetic(Div, "x", "sum"),
    ),
    "shrink": (
        compared(Relation.LESS_EQUAL, "half", "low"),
        compared(Relation.NOT_EQUAL, "slope", "other"),
        make(LogicalAnd, "low", "other", output="both"),
        make(LogicalNot, "both", output="not"),
        compared(Relation.LESS, "slope", "small"),
        make(LogicalOr, "not", "small", output="either"),
        make(Cast, "either", output="gate", dtype=DType.FLOAT32),
        arithmetic(Mul, "gate", "x"),
    ),
    "elu of both signs": (
        make(Neg, output="minus"),
        make(Elu, "minus", output="curve"),
        make(Relu, output="line", activation=Activation.RELU),
        arithmetic(Sub, "line", "curve"),
    ),
    "clipped": (
        make(Maximum, "x", "slope", output="raised"),
        make(Minimum, "raised", "three", output="bounded"),
        make(SquaredDifference, "bounded", "one", output="square"),
        make(Prelu, "square", "half", output="kept"),
        make(Sqrt, "kept"),
    ),
    "reciprocal root": (
        make(Square, output="square"),
        arithmetic(Add, "square", "eps", output="sum"),
        make(Rsqrt, "sum"),
    ),
    "without a value at 0": (arithmetic(Div, "one", "x", output="r"), arithmetic(Add, "r", "one")),
    "logarithm of any number": (make(Log, output="log"), arithmetic(Mul, "log", "half")),
}


def spelled(name: str, shape: Shape = (1, 4)) -> Graph:
    """The float graph of the function, x to y."""
    constants = {key: np.array(value, np.float32) for key, value in NUMBERS.items()}
    return float_graph({"x": shape}, *SPELLED[name], constants=constants).pruned()


def fused(name: str, shape: Shape = (1, 4)) -> Function:
    """The one operator of the function."""
    (op,) = fuse_functions(spelled(name, shape)).ops
    assert isinstance(op, Function)
    return op
