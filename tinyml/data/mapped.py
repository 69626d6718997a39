"""Arrays of an .npz that stay in their file until they are read, for data larger than memory."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tinyml.ir.graph import Array

# Smaller ones are read at once, which also checks their sums.
LEAST_BYTES = 1 << 26
# Bytes that are looked at together where a whole array is.
BLOCK_BYTES = 1 << 24

LOCAL_HEADER = struct.Struct("<26x2H")  # of a member in a zip file: lengths of name and extra field


def map_member(path: Path, member: zipfile.ZipInfo) -> Array | None:
    """Map a member of an .npz, read-only; None where it is small, packed or no plain array.

    ``numpy.savez`` stores arrays as they are; those of ``numpy.savez_compressed`` are packed.
    """
    if member.compress_type != zipfile.ZIP_STORED or member.file_size < LEAST_BYTES:
        return None
    with path.open("rb") as file:
        file.seek(member.header_offset)
        name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
        file.seek(member.header_offset + LOCAL_HEADER.size + name + extra)
        lib: Any = np.lib.format  # untyped
        version = lib.read_magic(file)
        read = lib.read_array_header_1_0 if version == (1, 0) else lib.read_array_header_2_0
        shape, is_fortran, dtype = read(file)
        if dtype.hasobject:
            return None
        start = file.tell()
        return np.memmap(path, dtype, "r", start, shape, "F" if is_fortran else "C")


def blocks(array: Array) -> Iterator[tuple[int, Array]]:
    """Some samples at a time of an array (N, ...), each with the index of the first."""
    count = max(1, BLOCK_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), count):
        yield start, array[start : start + count]
