"""Every operator and how a random network draws a layer of it, or why it does not.

A drawer gives None, or an operator that refuses its inputs, where nothing of the kind fits the
tensor, and then another one is drawn. The keys are the files of tinyml/ops.
"""

from layers import elementwise, functions, kept, moved, pooled, weighted
from layers.elementwise import of_product, of_sum
from layers.place import Drawer
from tinyml.ir.graph import DType, Tensor
from tinyml.ops.abs import Abs
from tinyml.ops.add import Add
from tinyml.ops.average_pool_2d import AveragePool2D
from tinyml.ops.ceil import Ceil
from tinyml.ops.contract.registry import operator_classes
from tinyml.ops.cos import Cos
from tinyml.ops.depth_to_space import DepthToSpace
from tinyml.ops.elu import Elu
from tinyml.ops.floor import Floor
from tinyml.ops.hard_swish import HardSwish
from tinyml.ops.log import Log
from tinyml.ops.logical_and import LogicalAnd
from tinyml.ops.logical_or import LogicalOr
from tinyml.ops.logistic import Logistic
from tinyml.ops.max_pool_2d import MaxPool2D
from tinyml.ops.maximum import Maximum
from tinyml.ops.minimum import Minimum
from tinyml.ops.mul import Mul
from tinyml.ops.neg import Neg
from tinyml.ops.reduce_max import ReduceMax
from tinyml.ops.reduce_min import ReduceMin
from tinyml.ops.resize_bilinear import ResizeBilinear
from tinyml.ops.resize_nearest_neighbor import ResizeNearestNeighbor
from tinyml.ops.round import Round
from tinyml.ops.rsqrt import Rsqrt
from tinyml.ops.sign import Sign
from tinyml.ops.sin import Sin
from tinyml.ops.space_to_depth import SpaceToDepth
from tinyml.ops.sqrt import Sqrt
from tinyml.ops.sub import Sub
from tinyml.ops.tanh import Tanh

LAYERS: dict[str, Drawer] = {
    "abs": functions.function(Abs),
    "add": elementwise.arithmetic(Add, of_sum),
    "arg_extremum": pooled.arg_extremum,
    "average_pool_2d": pooled.pool(AveragePool2D),
    "batch_matmul": weighted.batch_matmul,
    "batch_to_space_nd": moved.batch_to_space_nd,
    "broadcast_to": moved.broadcast_to,
    "cast": functions.cast,
    "ceil": functions.function(Ceil),
    "comparison": elementwise.comparison,
    "concatenation": moved.concatenation,
    "conv_2d": weighted.conv_2d,
    "cos": functions.function(Cos),
    "depth_to_space": moved.blocks(DepthToSpace),
    "depthwise_conv_2d": weighted.depthwise_conv_2d,
    "elu": functions.function(Elu),
    "exp": functions.exp,
    "floor": functions.function(Floor),
    "fully_connected": weighted.fully_connected,
    "gather": moved.gather,
    "gelu": functions.gelu,
    "hard_swish": functions.function(HardSwish),
    "l2_normalization": pooled.l2_normalization,
    "leaky_relu": functions.leaky_relu,
    "log": functions.int8_only(Log),
    "logical_and": elementwise.logical(LogicalAnd),
    "logical_not": elementwise.logical_not,
    "logical_or": elementwise.logical(LogicalOr),
    "logistic": functions.function(Logistic),
    "lstm": kept.lstm,
    "max_pool_2d": pooled.pool(MaxPool2D),
    "maximum": elementwise.extremum(Maximum),
    "mean": pooled.mean,
    "minimum": elementwise.extremum(Minimum),
    "mirror_pad": moved.mirror_pad,
    "mul": elementwise.arithmetic(Mul, of_product),
    "neg": functions.function(Neg),
    "one_hot": moved.one_hot,
    "pack": moved.pack,
    "pad": moved.pad,
    "padv2": moved.padv2,
    "prelu": elementwise.prelu,
    "quantize": functions.quantize,
    "reduce_max": pooled.extremum(ReduceMax),
    "reduce_min": pooled.extremum(ReduceMin),
    "relu": functions.relu,
    "reshape": moved.reshape,
    "resize_bilinear": moved.resize(ResizeBilinear),
    "resize_nearest_neighbor": moved.resize(ResizeNearestNeighbor),
    "reverse_v2": moved.reverse_v2,
    "round": functions.function(Round),
    "rsqrt": functions.root(Rsqrt, -0.5),
    "select": elementwise.select,
    "sign": functions.function(Sign),
    "sin": functions.function(Sin),
    "slice": moved.slices,
    "softmax": pooled.softmax,
    "space_to_batch_nd": moved.space_to_batch_nd,
    "space_to_depth": moved.blocks(SpaceToDepth),
    "split": moved.split,
    "split_v": moved.split_v,
    "sqrt": functions.root(Sqrt, 0.5),
    "square": functions.square,
    "squared_difference": elementwise.squared_difference,
    "strided_slice": moved.strided_slice,
    "sub": elementwise.arithmetic(Sub, of_sum),
    "sum": pooled.sums,
    "svdf": kept.svdf,
    "tanh": functions.function(Tanh),
    "tile": moved.tile,
    "transpose": moved.transpose,
    "transpose_conv": weighted.transpose_conv,
    "unpack": moved.unpack,
    "variable": kept.variable,
}

EXCLUDED = {
    "div": "becomes MUL when a model is quantized; no int8 model has it",
    "log_softmax": "becomes other operators when a float model is read; no int8 model has it",
    "pow": "becomes a table when a model is quantized; no int8 model has it",
    "shape": "is folded while a model is read, with all that is computed from it",
    "dequantize": "leaves the device's graph at its end, and around functions written in float",
}

# What networks are mostly made of comes more often.
OFTEN = {"conv_2d": 10, "depthwise_conv_2d": 8, "fully_connected": 6, "add": 6, "concatenation": 3}
# These fit few tensors.
OFTEN |= dict.fromkeys(("depth_to_space", "lstm", "space_to_depth", "sqrt", "svdf"), 4)
# What goes on from a tensor without a scale: moving its bytes is as moving int8.
WITHOUT_SCALE = {
    DType.BOOL: ("cast", "logical_and", "logical_not", "logical_or", "reshape", "select"),
    DType.INT32: ("cast", "one_hot", "reshape"),
}
# What nothing with a scale is read by.
OF_IDS = {"one_hot"}
# The reference kernels have no int16.
NOT_WIDE = ("depth_to_space", "space_to_depth", "tile")

DTYPES = {cls.__module__.rpartition(".")[2]: frozenset(cls.kernels) for cls in operator_classes()}


def choices(source: Tensor) -> tuple[str, ...]:
    """Operators that take a tensor of that type, each as often as it shall come."""
    if source.quant is None:
        return WITHOUT_SCALE.get(source.dtype, ())
    left_out = {*OF_IDS, *(NOT_WIDE if source.dtype is DType.INT16 else ())}
    names = (name for name in LAYERS if source.dtype in DTYPES[name] and name not in left_out)
    return tuple(name for name in names for _ in range(OFTEN.get(name, 1)))
