"""Scratch sizes computed in Python are those CMSIS-NN's own functions return."""

import ctypes

import pytest
from single_operator import OUTPUT, SOURCE, Draw, cases_of

from tinyml.firmware.toolchain import find_cmsis_nn, find_tool, run_tool
from tinyml.ir.graph import DType, Graph
from tinyml.kernels import arm_convolve_s8, arm_depthwise_conv_fast_s16, arm_depthwise_conv_s8_opt
from tinyml.ops.contract.c import Isa, ScratchContext
from tinyml.ops.contract.target import Target
from tinyml.ops.fully_connected import FullyConnected
from tinyml.passes.orders import prepare_for_device
from tinyml.plan.choose import Step, choose_kernels

SHAPES = 500

SOURCES = (
    "ConvolutionFunctions/arm_convolve_get_buffer_sizes_s8.c",
    "ConvolutionFunctions/arm_depthwise_conv_get_buffer_sizes_s8.c",
    "ConvolutionFunctions/arm_depthwise_conv_get_buffer_sizes_s16.c",
    "PoolingFunctions/arm_avgpool_get_buffer_sizes_s8.c",
    "PoolingFunctions/arm_avgpool_get_buffer_sizes_s16.c",
    "FullyConnectedFunctions/arm_fully_connected_get_buffer_sizes_s8.c",
)

# The functions of a core; built for the host, those without a suffix are the scalar core's.
SUFFIXES = {Isa.SCALAR: "", Isa.DSP: "_dsp", Isa.MVE: "_mve"}


class Dims(ctypes.Structure):
    """``cmsis_nn_dims``."""

    _fields_ = [(name, ctypes.c_int32) for name in "nhwc"]


def fields(*names: str) -> list[tuple[str, type[ctypes.c_int32]]]:
    return [(name, ctypes.c_int32) for name in names]


WINDOW = tuple(f"{pair}_{axis}" for pair in ("stride", "padding", "dilation") for axis in "wh")
OFFSETS, LIMITS = ("input_offset", "output_offset"), ("min", "max")


class ConvParams(ctypes.Structure):
    """``cmsis_nn_conv_params``, its inner structs laid open."""

    _fields_ = fields(*OFFSETS, *WINDOW, *LIMITS)


class DepthwiseParams(ctypes.Structure):
    """``cmsis_nn_dw_conv_params``, its inner structs laid open."""

    _fields_ = fields(*OFFSETS, "ch_mult", *WINDOW, *LIMITS)


@pytest.fixture(scope="module")
def cmsis_nn(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """CMSIS-NN's functions for buffer sizes, as a library of this computer."""
    found = find_cmsis_nn()
    library = tmp_path_factory.mktemp("scratch") / "sizes.so"
    sources = [found.root / "Source" / source for source in SOURCES]
    include = ("-I", found.include)
    run_tool([find_tool("gcc").path, "-shared", "-fPIC", "-w", *include, *sources, "-o", library])
    return ctypes.CDLL(str(library))


def unit_window(**others: int) -> dict[str, int]:
    return {"stride_w": 1, "stride_h": 1, "dilation_w": 1, "dilation_h": 1, **others}


@pytest.mark.parametrize("isa", Isa)
def test_convolution_scratch_is_cmsis_nns(cmsis_nn, isa):
    draw = Draw("convolution scratch")
    version = find_cmsis_nn().interface
    (kernel,) = (c for c in arm_convolve_s8.CANDIDATES if version in c.cmsis_nn)
    function = getattr(cmsis_nn, f"arm_convolve_wrapper_s8_get_buffer_size{SUFFIXES[isa]}")
    # Padding leads the wrapper to arm_convolve_s8, whatever the filter.
    params = ConvParams(**unit_window(padding_h=1, padding_w=1))
    for _ in range(SHAPES):
        height, width, channels = draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 300)
        source, filters = Dims(1, 9, 9, channels), Dims(4, height, width, channels)

        size = function(*map(ctypes.byref, (params, source, filters, source)))

        assert kernel.scratch_bytes(height * width * channels, isa) == size


@pytest.mark.parametrize("isa", Isa)
def test_depthwise_scratch_is_cmsis_nns(cmsis_nn, isa):
    draw = Draw("depthwise scratch")
    function = getattr(cmsis_nn, f"arm_depthwise_conv_wrapper_s8_get_buffer_size{SUFFIXES[isa]}")
    # Two rows of padding lead the wrapper away from its 3x3 kernel.
    params = DepthwiseParams(**unit_window(padding_h=2, padding_w=2), ch_mult=1)
    for _ in range(SHAPES):
        height, width, channels = draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 300)
        source, filters = Dims(1, 9, 9, channels), Dims(1, height, width, channels)

        size = function(*map(ctypes.byref, (params, source, filters, source)))

        assert arm_depthwise_conv_s8_opt.scratch_bytes(channels, height * width, isa) == size


@pytest.mark.parametrize("isa", Isa)
def test_depthwise_16x8_scratch_is_cmsis_nns(cmsis_nn, isa):
    draw = Draw("depthwise 16x8 scratch")
    name = f"arm_depthwise_conv_wrapper_s16_get_buffer_size{SUFFIXES[isa]}"
    function = getattr(cmsis_nn, name)
    params = DepthwiseParams(**unit_window(), ch_mult=1)
    for _ in range(SHAPES):
        height, width, channels = draw.integer(1, 9), draw.integer(1, 9), draw.integer(1, 300)
        source, filters = Dims(1, 9, 9, channels), Dims(1, height, width, channels)

        size = function(*map(ctypes.byref, (params, source, filters, source)))

        assert arm_depthwise_conv_fast_s16.scratch_bytes(channels, height * width, isa) == size


def step_of(graph: Graph, isa: Isa) -> Step:
    """What the operator of a graph becomes with the CMSIS-NN in use."""
    target = Target(isas=frozenset([isa]), cmsis_nn=find_cmsis_nn().interface)
    (step,) = choose_kernels(graph, target)
    return step


@pytest.mark.parametrize("isa", Isa)
def test_average_pool_scratch_is_cmsis_nns(cmsis_nn, isa):
    for case in cases_of("average_pool_2d"):
        source, output = map(case.graph.tensor, (SOURCE, OUTPUT))
        width = "s8" if source.dtype is DType.INT8 else "s16"
        function = getattr(cmsis_nn, f"arm_avgpool_{width}_get_buffer_size{SUFFIXES[isa]}")

        size = function(output.shape[2], source.shape[3])

        assert step_of(case.graph, isa).kernel.scratch_bytes == size


@pytest.mark.parametrize("isa", Isa)
def test_the_weight_sums_of_fully_connected_layers_fill_cmsis_nns_buffer(cmsis_nn, isa):
    function = getattr(cmsis_nn, f"arm_fully_connected_s8_get_buffer_size{SUFFIXES[isa]}")
    for case in cases_of("fully_connected"):
        op = case.graph.ops[0]
        graph = prepare_for_device(case.graph)
        if graph.ops != case.graph.ops or graph.tensor(SOURCE).dtype is DType.INT16:
            continue
        step = step_of(graph, isa)
        if step.candidate != "arm_fully_connected_s8":
            continue
        (call,) = step.kernel.calls
        context = call.arguments[0]
        features, depth = graph.tensor("weights").shape
        assert isinstance(op, FullyConnected)
        assert isinstance(context, ScratchContext)

        size = function(ctypes.byref(Dims(depth, 1, 1, features)))

        assert (0 if context.array is None else context.array.data.nbytes) == size
