"""Graph to MemoryPlan: which bytes of the arena each tensor has, and when."""
