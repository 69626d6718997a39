"""What scripts depend on: keys that a command's JSON always has."""

COMPARE_KEYS = {
    "samples",
    "float_accuracy",
    "reference_accuracy",
    "device_accuracy",
    "reference",
    "board",
    "mismatched_bytes",
    "compared_bytes",
    "instructions_per_inference",
    "flash_bytes",
    "ram_bytes",
    "arena_bytes",
    "passed",
}
