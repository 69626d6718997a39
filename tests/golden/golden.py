"""Comparing text with a file of this folder.

After a change that is meant to change the text, ``TINYML_UPDATE_GOLDEN=1 pytest tests`` writes the
files anew; read the diff before committing it.
"""

import os
from pathlib import Path

FOLDER = Path(__file__).parent


def assert_golden(name: str, text: str) -> None:
    path = FOLDER / name
    if os.environ.get("TINYML_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"{path} is missing: make it with TINYML_UPDATE_GOLDEN=1 pytest"
    assert text == path.read_text(encoding="utf-8"), (
        f"{path} differs: where that is meant, rewrite it with TINYML_UPDATE_GOLDEN=1 pytest"
    )
