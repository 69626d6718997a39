"""The command line: one file a command, each parses, calls and prints."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Mapping

import click

from tinyml import __version__
from tinyml.errors import TinymlError

# Command to what it does; listing them here keeps 'tinyml --help' from importing any.
COMMANDS: Mapping[str, str] = {
    "train": "Train a model of models/ and write it with its data.",
    "quantize": "Quantize a float model to an int8 .tflite.",
    "search": "Find the cheapest scheme that keeps the accuracy.",
    "export": "Write a model as .tflite, .onnx or C.",
    "build": "Build firmware of an int8 model for a board.",
    "run": "Run samples through the firmware on a board.",
    "compare": "Compare float32, the int8 reference and the device.",
    "flash": "Program a board, or boot its emulator.",
    "inspect": "Show what is in a model and what it needs.",
    "ops": "List the supported operators.",
    "boards": "List the supported boards.",
    "doctor": "Check what is installed.",
}

INTERNAL_ERROR = 3
INTERRUPTED = 130


class _LazyGroup(click.Group):
    """Imports a command's module only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"tinyml.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"tinyml.cli.{cmd_name}.command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tinyml")
@click.option("--debug", is_flag=True, help="Show a traceback where a command fails.")
def cli(debug: bool) -> None:  # noqa: FBT001  # click passes flags by name
    """Take a trained network to Arm Cortex-M firmware that is proven bit-exact."""
    del debug  # main() reads it from the arguments, before parsing can fail


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    given = sys.argv[1:] if arguments is None else arguments
    sys.exit(run(given))


def run(arguments: list[str]) -> int:
    """Run one command; errors become one sentence on stderr and an exit code."""
    try:
        code = cli.main(arguments, prog_name="tinyml", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        click.echo(f"error: {_sentence(error)}", err=True)
        return error.exit_code if isinstance(error, TinymlError) else INTERNAL_ERROR
    return code if isinstance(code, int) else 0


def _sentence(error: Exception) -> str:
    """What to tell the user; only a TinymlError says it by itself."""
    if isinstance(error, TinymlError):
        return str(error)
    if isinstance(error, ModuleNotFoundError):
        return (
            f"the Python package {error.name} is missing: install tinyml again, with pip and in "
            "the environment that runs it"
        )
    return (
        f"tinyml failed in a way it should not ({type(error).__name__}: {error}); run it again as "
        "'tinyml --debug ...' and report what it prints"
    )
