"""docs/cli.md says what the commands do: every command, every option, every key of their JSON."""

import json
import re
from pathlib import Path

import click
import pytest

from tinyml.cli import COMMANDS, cli

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
# What the page says of every command that takes a model.
BEFORE_ALL = TEXT.partition("\n## ")[0]
JSON = {
    "build": "build int8.tflite --board host -o out",
    "run": "run int8.tflite --board host --input x.npy -o y.npy",
    "compare": "compare int8.tflite --data data.npz --board host",
    "inspect": "inspect int8.tflite",
    "ops": "ops",
    "search": "search float.tflite --data data.npz --max-accuracy-drop 100 --jobs 1",
}


def section(command: str) -> str:
    """The text below the heading that names the command."""
    for part in TEXT.split("\n## ")[1:]:
        if f"`tinyml {command}" in part.partition("\n")[0]:
            return part
    raise AssertionError(f"docs/cli.md has no section on {command}")


# Below these, keys are names of the model's or of the kernels'.
BY_NAME = {"refused"}


def keys_of(value: object) -> set[str]:
    if isinstance(value, dict):
        below = (part for key, part in value.items() if key not in BY_NAME)
        return set(value).union(*map(keys_of, below))
    return set().union(*map(keys_of, value)) if isinstance(value, list) else set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_documented(command):
    found = cli.get_command(click.Context(cli), command)

    longest = {
        max(param.opts, key=len) for param in found.params if isinstance(param, click.Option)
    }
    text = section(command) + ("--signature" if "`--signature NAME`" in BEFORE_ALL else "")
    assert {option for option in longest if option not in text and option != "--output"} == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_documented_option_exists(command):
    found = cli.get_command(click.Context(cli), command)

    options = {option for param in found.params for option in param.opts} | {"--debug"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", section(command)))
    assert named <= options


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("command", JSON)
def test_every_key_of_the_json_is_documented_in_the_commands_section(tinyml, command):
    assert tinyml(*JSON[command].split(), "--json", "result.json").code == 0

    keys = keys_of(json.loads(Path("result.json").read_text()))
    assert {key for key in keys if f"`{key}`" not in section(command)} == set()
