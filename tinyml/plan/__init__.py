"""Graph and target to a Plan: which kernel runs each operator, and where its bytes lie."""

# Names of the sets of kernels a plan may choose from: all, or CMSIS-NN's where it has one.
KERNEL_SETS = ("auto", "cmsis-nn")
