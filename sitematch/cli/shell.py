"""``completion``: the shell's tab key knows commands, options, countries, studies and sites."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from sitematch.cli.common import plain_errors, say
from sitematch.errors import InvalidInput

_SHELLS = ("bash", "zsh", "fish")
_VARIABLE = "_SITEMATCH_COMPLETE"


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("shell", type=click.Choice(_SHELLS), required=False)
@click.option("--install", is_flag=True, help="Install it for you: write the script, and load it in new shells.")
@click.pass_context
@plain_errors
def completion(context: click.Context, shell: str | None, install: bool) -> None:
    """Print the shell completion script, or install it.

    Without a shell, it is the one in SHELL.

    \b
    Examples:
      sitematch completion --install
      eval "$(sitematch completion bash)"
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    kind = get_completion_class(chosen) if chosen in _SHELLS else None
    if kind is None:
        raise InvalidInput(f"Name a shell: {', '.join(_SHELLS)}.", field="shell")
    script = kind(context.find_root().command, {}, "sitematch", _VARIABLE).source()
    if not install:
        click.echo(script)
        return
    try:
        said = _install(chosen, script)
    except OSError as error:
        raise InvalidInput(f"Cannot write {error.filename}: {error.strerror}.", field="install") from error
    for line in said:
        say(line)


def _install(shell: str, script: str) -> list[str]:
    """Write the script where the shell finds it; return what was done."""
    home = Path.home()
    if shell == "fish":
        # fish loads this folder on its own.
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
        return [_write(config / "fish" / "completions" / "sitematch.fish", script), "New fish shells have it."]
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    file = data / "sitematch" / f"completion.{shell}"
    start = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc" if shell == "zsh" else home / ".bashrc"
    line = f'[ -f "{file}" ] && . "{file}"  # sitematch completion'
    told = [_write(file, script)]
    known = start.read_text(encoding="utf-8") if start.exists() else ""
    if line not in known.splitlines():
        break_before = "" if not known or known.endswith("\n") else "\n"
        with start.open("a", encoding="utf-8") as opened:
            opened.write(f"{break_before}{line}\n")
        told.append(f"Added one line to {start}.")
    return [*told, f"New {shell} shells have it."]


def _write(path: Path, script: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script, encoding="utf-8")
    return f"Wrote {path}."
