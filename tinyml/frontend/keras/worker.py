"""The converting process, the only one that imports TensorFlow: ``... MODEL RESULT``.

It leaves in RESULT the flatbuffer (exit status 0) or the error as JSON (exit status FAILED).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tinyml.errors import TinymlError
from tinyml.frontend.keras.convert import FAILED
from tinyml.frontend.keras.keras_file import convert_file
from tinyml.frontend.keras.saved_model import convert_saved_model


def main(path: Path, result: Path) -> int:
    """Convert ``path``; leave the flatbuffer or the error in ``result``; return the status."""
    try:
        data = convert_saved_model(path) if path.is_dir() else convert_file(path)
    except TinymlError as error:
        report = {
            "error": type(error).__name__,
            "message": str(error),
            "notes": getattr(error, "__notes__", []),
        }
        result.write_text(json.dumps(report), encoding="utf-8")
        return FAILED
    result.write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
