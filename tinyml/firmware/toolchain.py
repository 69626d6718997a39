"""The programs and libraries a build needs: found, versioned, and missed with a clear sentence."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml.errors import ToolchainError
from tinyml.firmware.boards import Board

# Program -> the Debian or Ubuntu package it comes in.
PACKAGES = {
    "arm-none-eabi-gcc": "gcc-arm-none-eabi",
    "arm-none-eabi-addr2line": "binutils-arm-none-eabi",
    "arm-none-eabi-ar": "binutils-arm-none-eabi",
    "arm-none-eabi-objcopy": "binutils-arm-none-eabi",
    "arm-none-eabi-size": "binutils-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
    "gcc": "gcc",
    "ar": "binutils",
    "size": "binutils",
}

CMSIS_NN_DISTRIBUTION = "aidge-export-arm-cortexm"
# First digits of a digest of sources -> the upstream tag or commit that has them.
CMSIS_NN_VERSIONS = {
    "bd25a2e0b88ec0a7": "v5.0.0",
    "5e3aff5b08332113": "3b4e406b",
    "81c125f5c8a01232": "v6.0.0",
    "fdee074c4b576b8f": "v7.0.0",
}


class ToolFailedError(ToolchainError):
    """A program ran and reported failure; ``stderr`` is all it said."""

    def __init__(self, message: str, stderr: str) -> None:
        super().__init__(message)
        self.stderr = stderr


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program on this computer; ``version`` is the first line it says about itself."""

    name: str
    path: Path
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The programs that turn C into an image for one board."""

    gcc: Tool
    ar: Tool
    size: Tool
    objcopy: Tool | None  # the host needs none


@dataclass(frozen=True, kw_only=True)
class CmsisNN:
    """A CMSIS-NN source tree; ``digest`` is the SHA-256 of its sources and headers."""

    root: Path
    version: str
    digest: str

    @property
    def include(self) -> Path:
        """The folder of its public headers."""
        return self.root / "Include"

    @property
    def sources(self) -> tuple[Path, ...]:
        """All its C files but those on floating-point tensors, sorted."""
        found = sorted((self.root / "Source").rglob("*.c"))
        return tuple(path for path in found if not path.stem.endswith(("_f16", "_f32")))

    @functools.cached_property
    def interface(self) -> int:
        """Major version whose kernels it has, as far as generated C can tell them apart.

        7 since 7.0.0, 6 since 6.0.0, 5 before. The headers carry no version of the library, so
        arguments that came with one tell.
        """
        header = (self.include / "arm_nnfunctions.h").read_text(encoding="utf-8")
        if "upscale_dims" in _prototype(header, "arm_convolve_s8"):
            return 7
        return (
            6 if "conv_params" in _prototype(header, "arm_convolve_1_x_n_s8_get_buffer_size") else 5
        )


def _prototype(header: str, function: str) -> str:
    return header.partition(f" {function}(")[2].partition(";")[0]


def find_tool(name: str) -> Tool:
    """Find a program on PATH.

    Raises:
        ToolchainError: it is not there; names the Debian package that brings it.
    """
    path = shutil.which(name)
    if path is None:
        package = PACKAGES.get(name, name)
        raise ToolchainError(
            f"{name} is not installed: install it with 'apt install {package}' "
            f"or your system's package of that name"
        )
    return Tool(name=name, path=Path(path), version=_version(path))


@functools.cache
def _version(path: str) -> str:
    return run_tool([path, "--version"]).partition("\n")[0].strip()


def find_toolchain(board: Board) -> Toolchain:
    """Find everything that builds for ``board``.

    Raises:
        ToolchainError: a program or the C library is missing; names the Debian package.
    """
    if board.is_host:
        return Toolchain(
            gcc=find_tool("gcc"), ar=find_tool("ar"), size=find_tool("size"), objcopy=None
        )
    prefix = f"{board.toolchain}-"
    toolchain = Toolchain(
        gcc=find_tool(f"{prefix}gcc"),
        ar=find_tool(f"{prefix}ar"),
        size=find_tool(f"{prefix}size"),
        objcopy=find_tool(f"{prefix}objcopy"),
    )
    if not _has_c_library(toolchain.gcc.path):
        raise ToolchainError(
            f"{toolchain.gcc.name} has no C library: "
            "install it with 'apt install libnewlib-arm-none-eabi'"
        )
    return toolchain


@functools.cache
def _has_c_library(gcc: Path) -> bool:
    """GCC answers with a full path where it knows the file, and with the bare name otherwise."""
    return Path(run_tool([gcc, "-print-file-name=libc.a"]).strip()).is_absolute()


def run_tool(command: Sequence[str | Path], *, cwd: Path | None = None) -> str:
    """Run a program of the toolchain and return what it prints.

    Raises:
        ToolchainError: it cannot be started.
        ToolFailedError: it exits non-zero; quotes the first error it prints.
    """
    try:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolchainError(f"{command[0]} cannot be started: {error.strerror}") from None
    if result.returncode != 0:
        message = f"{Path(command[0]).name} failed: {_first_error(result.stderr)}"
        raise ToolFailedError(message, result.stderr)
    return result.stdout


def _first_error(stderr: str) -> str:
    """Return the line of a compiler's or linker's messages that says what is wrong."""
    lines = stderr.strip().splitlines() or ["it gave no reason"]
    return next((line for line in lines if "error" in line.lower()), lines[-1]).strip()


def find_cmsis_nn() -> CmsisNN:
    """Find CMSIS-NN: the checkout ``CMSIS_NN_DIR`` names, else the copy a PyPI wheel carries.

    Raises:
        ToolchainError: ``CMSIS_NN_DIR`` holds no CMSIS-NN, or the wheel is not installed.
    """
    checkout = os.environ.get("CMSIS_NN_DIR")
    if checkout:
        root = Path(checkout).expanduser().resolve()
        if not _is_cmsis_nn(root):
            raise ToolchainError(
                f"CMSIS_NN_DIR is {checkout}, which holds no Include/arm_nnfunctions.h and "
                f"Source: point it at a checkout of github.com/ARM-software/CMSIS-NN or unset it"
            )
        return CmsisNN(root=root, version=_checkout_version(root), digest=_digest(root))
    root = _packaged_cmsis_nn()
    return CmsisNN(root=root, version=_folder_version(root), digest=_digest(root))


def _is_cmsis_nn(root: Path) -> bool:
    return (root / "Include" / "arm_nnfunctions.h").is_file() and (root / "Source").is_dir()


def _packaged_cmsis_nn() -> Path:
    """Look into the wheel's file list; importing the package would run code we do not need."""
    missing = ToolchainError(
        f"CMSIS-NN is missing: install it with 'pip install {CMSIS_NN_DISTRIBUTION}==0.2.1' "
        "or set CMSIS_NN_DIR to a checkout of github.com/ARM-software/CMSIS-NN"
    )
    try:
        distribution = importlib.metadata.distribution(CMSIS_NN_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise missing from None
    # ``distribution.files`` makes a path of each of 1,671 lines, which takes a tenth of a second.
    for line in (distribution.read_text("RECORD") or "").splitlines():
        name = line.partition(",")[0]
        if name.endswith("CMSIS-NN/Include/arm_nnfunctions.h"):
            return Path(str(distribution.locate_file(name))).resolve().parent.parent
    raise missing


def _checkout_version(root: Path) -> str:
    """Prefer git's name for the commit, where ``root`` itself is a git checkout."""
    if not (root / ".git").exists() or shutil.which("git") is None:
        return _folder_version(root)
    try:
        return run_tool(["git", "-C", root, "describe", "--tags", "--always", "--dirty"]).strip()
    except ToolchainError:
        return _folder_version(root)


def _folder_version(root: Path) -> str:
    """Name sources without a history: by what they are equal to, or else by what they are."""
    digest = _digest(root)
    return CMSIS_NN_VERSIONS.get(digest[:16]) or f"header {_revision(root)}, sources {digest[:8]}"


def _revision(root: Path) -> str:
    header = (root / "Include" / "arm_nnfunctions.h").read_text(encoding="utf-8")
    match = re.search(r"\$Revision:\s*(\S+)", header)
    return match[1] if match else "unknown"


@functools.cache
def _digest(root: Path) -> str:
    files = [*(root / "Include").rglob("*.h"), *(root / "Source").rglob("*.[ch]")]
    return digest_files(sorted(files), root)


def digest_files(files: Sequence[Path], root: Path) -> str:
    """Return the SHA-256 over names (relative to ``root``) and contents."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
