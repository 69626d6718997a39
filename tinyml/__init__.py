"""From a trained network to Arm Cortex-M firmware, proven bit-exact before a board is touched."""

__version__ = "0.1.0"
