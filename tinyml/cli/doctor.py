"""``tinyml doctor``."""

from __future__ import annotations

import click

from tinyml.report.environment import check_environment

TOOL_MISSING = 3


@click.command("doctor")
def command() -> int:
    """Check the tools and packages tinyml works with, and say how to install what is missing."""
    findings = check_environment()
    for finding in findings:
        state = "ok" if finding.found else "MISSING" if finding.required else "absent"
        click.echo(f"{state:8}{finding.name:26}{finding.detail}")
    missing = [finding.name for finding in findings if finding.required and not finding.found]
    if missing:
        click.echo(f"needed and not there: {', '.join(missing)}", err=True)
    return TOOL_MISSING if missing else 0
