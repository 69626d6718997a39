"""C module + board -> firmware image."""

from pathlib import Path

from tinyml.errors import ToolchainError


def firmware_dir() -> Path:
    """Return the folder of boards, C sources and linker script.

    It lies inside the package once that is installed, and beside it in a checkout.

    Raises:
        ToolchainError: neither is there; the installation is damaged.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "_data" / "firmware", package.parent / "firmware"):
        if (folder / "link.ld").is_file():
            return folder
    raise ToolchainError(f"the firmware sources are missing beside {package}: reinstall tinyml")
