"""What ``tinyml ops`` says of operators, beyond what the conformance cases hold them to."""

from tinyml.firmware import firmware_dir
from tinyml.ir.graph import DType
from tinyml.ops.families.standardize import Standardize
from tinyml.report.operators import OperatorFacts, describe_operators


def facts_of(opcode: str) -> OperatorFacts:
    return next(facts for facts in describe_operators() if opcode in facts.names)


def test_a_kernel_says_where_it_is_from():
    kernels = {k.name: k.source for facts in describe_operators() for k in facts.kernels}
    ours = {name for name, source in kernels.items() if source == "tinyml"}
    # No file has this operator: it is made of several on the way to the device.
    ours.update(Standardize.kernels[DType.FLOAT32])

    assert ours == {path.stem for path in (firmware_dir() / "kernels").glob("*.c")}
    assert kernels["arm_convolve_s8"] == "CMSIS-NN"
    assert kernels["memcpy"] == "C library"


def test_a_kernel_of_some_cores_says_which():
    cores = {kernel.name: kernel.cores for kernel in facts_of("CONV_2D").kernels}

    assert cores["arm_convolve_1_x_n_s8"] == ("mve",)
    assert cores["arm_convolve_s8"] == ("scalar", "dsp", "mve")
