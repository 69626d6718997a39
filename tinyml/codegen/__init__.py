"""Graph and MemoryPlan to a C module."""
