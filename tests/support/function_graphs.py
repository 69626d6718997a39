"""Float graphs of one elementwise operator or reduction each, and samples that suit them."""

from collections.abc import Mapping

import numpy as np

from tinyml.ir.graph import Array, DType, Graph, Shape, Tensor
from tinyml.ops.abs import Abs
from tinyml.ops.add import Add
from tinyml.ops.arg_extremum import ArgExtremum
from tinyml.ops.ceil import Ceil
from tinyml.ops.comparison import Comparison, Relation
from tinyml.ops.contract.activation import Activation
from tinyml.ops.contract.operator import Operator
from tinyml.ops.cos import Cos
from tinyml.ops.div import Div
from tinyml.ops.elu import Elu
from tinyml.ops.exp import Exp
from tinyml.ops.floor import Floor
from tinyml.ops.gelu import Gelu
from tinyml.ops.hard_swish import HardSwish
from tinyml.ops.l2_normalization import L2Normalization
from tinyml.ops.leaky_relu import LeakyRelu
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
from tinyml.ops.reduce_max import ReduceMax
from tinyml.ops.reduce_min import ReduceMin
from tinyml.ops.round import Round
from tinyml.ops.rsqrt import Rsqrt
from tinyml.ops.select import Select
from tinyml.ops.sin import Sin
from tinyml.ops.sqrt import Sqrt
from tinyml.ops.square import Square
from tinyml.ops.squared_difference import SquaredDifference
from tinyml.ops.sub import Sub
from tinyml.ops.sum import Sum
from tinyml.ops.tanh import Tanh

IMAGE = (1, 4, 5, 3)
X = {"x": IMAGE}
BOTH = {"x": IMAGE, "z": IMAGE}
PER_CHANNEL = {"x": IMAGE, "z": (3,)}
# Functions of positive numbers only.
POSITIVE = {"sqrt", "rsqrt", "log"}


def float_graph(
    inputs: Mapping[str, Shape], *ops: Operator, constants: Mapping[str, Array] | None = None
) -> Graph:
    """The shapes of what the operators write are inferred."""
    tensors = {name: Tensor(name, shape, DType.FLOAT32) for name, shape in inputs.items()}
    for name, data in (constants or {}).items():
        tensors[name] = Tensor(name, data.shape, DType(data.dtype.name), data=data)
    for op in ops:
        specs = op.infer(Graph("test", tensors, (), (), ()))
        for name, spec in zip(op.outputs, specs, strict=True):
            tensors[name] = Tensor(name, spec.shape, spec.dtype)
    return Graph("test", tensors, ops, tuple(inputs), ops[-1].outputs)


def make(kind: type[Operator], *inputs: str, output: str = "y", **fields: object) -> Operator:
    return kind(name=output, inputs=inputs or ("x",), outputs=(output,), **fields)


def less(output: str = "y") -> Operator:
    return make(Comparison, "x", "z", output=output, relation=Relation.LESS)


PLAIN = {"activation": Activation.NONE}
SLOPES = {"a": np.array([0.3, -0.1, 0.05], np.float32)}
DIVISORS = {"d": np.array([2.0, -0.5, 7.0], np.float32)}

# What one int8 operator computes of one or two int8 tensors.
FUNCTIONS = {
    "abs": float_graph(X, make(Abs)),
    "ceil": float_graph(X, make(Ceil)),
    "cos": float_graph(X, make(Cos)),
    "elu": float_graph(X, make(Elu)),
    "exp": float_graph(X, make(Exp)),
    "floor": float_graph(X, make(Floor)),
    "gelu": float_graph(X, make(Gelu, approximate=False)),
    "gelu by tanh": float_graph(X, make(Gelu, approximate=True)),
    "hard_swish": float_graph(X, make(HardSwish)),
    "leaky_relu": float_graph(X, make(LeakyRelu, alpha=0.25)),
    "log": float_graph(X, make(Log)),
    "logistic": float_graph(X, make(Logistic)),
    "neg": float_graph(X, make(Neg)),
    "round": float_graph(X, make(Round)),
    "rsqrt": float_graph(X, make(Rsqrt)),
    "sin": float_graph(X, make(Sin)),
    "sqrt": float_graph(X, make(Sqrt)),
    "square": float_graph(X, make(Square)),
    "tanh": float_graph(X, make(Tanh)),
    "add": float_graph(PER_CHANNEL, make(Add, "x", "z", **PLAIN)),
    "sub": float_graph(BOTH, make(Sub, "x", "z", activation=Activation.RELU)),
    "sub of a channel": float_graph(PER_CHANNEL, make(Sub, "x", "z", **PLAIN)),
    "mul": float_graph(BOTH, make(Mul, "x", "z", activation=Activation.RELU6)),
    "mul of a channel": float_graph(PER_CHANNEL, make(Mul, "x", "z", **PLAIN)),
    "maximum": float_graph(PER_CHANNEL, make(Maximum, "x", "z")),
    "minimum": float_graph(BOTH, make(Minimum, "x", "z")),
    "squared_difference": float_graph(PER_CHANNEL, make(SquaredDifference, "x", "z")),
    "prelu": float_graph(X, make(Prelu, "x", "a"), constants=SLOPES),
    "div": float_graph(X, make(Div, "x", "d", **PLAIN), constants=DIVISORS),
    "sum": float_graph(X, make(Sum, axes=(1, 2), keep_dims=False)),
    "sum kept": float_graph(X, make(Sum, axes=(3,), keep_dims=True)),
    "reduce_max": float_graph(X, make(ReduceMax, axes=(1, 3), keep_dims=False)),
    "reduce_min": float_graph(X, make(ReduceMin, axes=(2,), keep_dims=True)),
    "l2_normalization": float_graph(X, make(L2Normalization)),
}

# What gives no int8, or reads bools as well.
CHOICES = {
    **{
        relation.name.lower(): float_graph(
            PER_CHANNEL, make(Comparison, "x", "z", relation=relation)
        )
        for relation in Relation
    },
    "arg_max": float_graph(X, make(ArgExtremum, largest=True, axis=1, dtype=DType.INT64)),
    "arg_min": float_graph(X, make(ArgExtremum, largest=False, axis=3, dtype=DType.INT32)),
    "select_v2": float_graph(BOTH, less("c"), make(Select, "c", "x", "z", by_row=False)),
    "select": float_graph(
        {**X, "p": (1,), "q": (1,)},
        make(Comparison, "p", "q", output="c", relation=Relation.GREATER),
        make(Select, "c", "x", "x", by_row=True),
    ),
    "logic": float_graph(
        BOTH,
        less("a"),
        make(Comparison, "x", "z", output="b", relation=Relation.NOT_EQUAL),
        make(LogicalAnd, "a", "b", output="both"),
        make(LogicalNot, "both", output="not"),
        make(LogicalOr, "not", "a"),
    ),
}


def float_samples(name: str, graph: Graph, count: int = 24) -> list[Array]:
    """(count, *input shape) for each input: normal numbers, or their magnitudes and a little."""
    rng = np.random.default_rng(7)
    shapes = [graph.tensor(input_name).shape for input_name in graph.inputs]
    drawn = [2 * rng.normal(size=(count, *shape)).astype(np.float32) for shape in shapes]
    if name in POSITIVE:
        return [np.abs(array) + np.float32(0.3) for array in drawn]
    return [np.clip(array, -4, 4) for array in drawn]
