"""Writes docs/reference/cli.md: every command with its arguments and options, from the commands themselves.

python scripts/generate_cli_reference.py
"""

from pathlib import Path

import click

from turnspan.cli import COMMANDS, turnspan

TARGET = Path(__file__).parents[1] / "docs" / "reference" / "cli.md"
HEAD = """# Command line

<!-- made by scripts/generate_cli_reference.py -->

`turnspan` and `python -m turnspan` are the same. Every command takes `--help`. Commands that read change nothing and
send nothing; where the journal of a dead process waits they say how many events are in it, and `turnspan recover` stores them.

**On a terminal** tables have the columns that there is room for, and what is longer than the screen goes through the
pager (`PAGER`, as for git; `PAGER=cat` is none). **In a pipe** or a file a row is a line, with all columns and all
content. Ids are never cut. Times carry their zone; `--utc` has them in UTC. `--json` prints a
[document](json.md) instead.

**Ids** may be given by their beginning, `last` is the session that was used last, and the shell completes both:

```console
$ eval "$(_TURNSPAN_COMPLETE=bash_source turnspan)"        # bash, for instance in ~/.bashrc
$ eval "$(_TURNSPAN_COMPLETE=zsh_source turnspan)"         # zsh, in ~/.zshrc
$ _TURNSPAN_COMPLETE=fish_source turnspan | source         # fish
```

**Exit codes**: 0 when it is done; 4 when it could not be done (usage, an unknown id, a store or backend that cannot be
reached), with one line on standard error; 130 when it was interrupted. What was found has codes of its own: `verify`
1, 2 and 3, `doctor`, `recover` and `import` 1. `run` has the exit code of its program.

"""


def _option(option, context):
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    metavar = "" if option.is_flag or option.count else f" `{option.make_metavar(context)}`"
    return f"| {names}{metavar} | {' '.join((option.help or '').split()).replace('|', chr(92) + '|')} |"


def _command(name):
    command = turnspan.get_command(click.Context(turnspan), name)
    context = click.Context(command, info_name=f"turnspan {name}")
    usage = " ".join(command.collect_usage_pieces(context))
    text = (command.help or COMMANDS[name]).split("\f")[0]
    lines = [f"## turnspan {name}", "", "```text", f"turnspan {name} {usage}", "```", ""]
    lines += [text.replace("\b\n", "").strip(), ""]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    if options:
        lines += ["| option | meaning |", "|---|---|", *(_option(option, context) for option in options), ""]
    return "\n".join(lines)


def generated():
    """Return the page."""
    index = "\n".join(f"- [`turnspan {name}`](#turnspan-{name}): {text}" for name, text in COMMANDS.items())
    return HEAD + index + "\n\n" + "\n".join(map(_command, COMMANDS)).rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(generated())
