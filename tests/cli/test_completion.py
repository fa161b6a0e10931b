"""The shell completes commands, options and ids."""

import contextlib
import os
import select
import subprocess

import pytest

import turnspan
from support.programs import BIN, run
from support.servers import program


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion") / "home"
    turnspan.configure(home=folder)
    for name in ("support-42", "support-43", "billing-1", "user:7"):
        with turnspan.session(name), turnspan.turn(agent="a", prompt=f"about {name}"):
            pass
    turnspan.shutdown()
    return folder, turnspan.get(name, home=folder).turns[0].turn_id


def completed(words, home, **env):
    env = {"COMP_WORDS": f"turnspan {words}", "COMP_CWORD": str(len(words.split(" "))), **env}
    done = run(BIN / "turnspan", env={"_TURNSPAN_COMPLETE": "bash_complete", "TURNSPAN_HOME": str(home), **env})
    return [line.partition(",")[2] for line in done.stdout.splitlines() if line]


def test_ids_of_sessions_are_completed_the_last_used_first(home):
    """What begins like it is offered, with `last` beside it."""
    folder, turn_id = home
    assert completed("show supp", folder) == ["support-43", "support-42"]
    assert completed("show ", folder)[:2] == ["last", "user:7"]
    assert completed(f"find {turn_id[:20]}", folder) == [turn_id], "any id, where no session begins like it"


def test_commands_are_completed_and_nothing_breaks_without_a_store(home, tmp_path):
    """Completion is silent where nothing is recorded, and makes nothing."""
    assert completed("sh", home[0]) == ["show"]
    assert completed("show ", tmp_path / "none") == []
    assert not (tmp_path / "none").exists()


def test_each_shell_gets_its_script():
    """bash, zsh and fish."""
    for shell in ("bash", "zsh", "fish"):
        script = run(BIN / "turnspan", env={"_TURNSPAN_COMPLETE": f"{shell}_source"}, check=True).stdout
        assert "turnspan" in script and "_TURNSPAN_COMPLETE" in script


def typed(shell, setup, home, line):
    """Return what a shell shows when a person types a line there."""
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "TERM": "dumb",
        "PS1": "$ ",
        "TURNSPAN_HOME": str(home),
        "HOME": str(home.parent),
        "INPUTRC": "/dev/null",
        "LC_ALL": "C.UTF-8",
    }
    person, terminal = os.openpty()
    process = subprocess.Popen(shell, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, close_fds=True)
    os.close(terminal)
    shown = b""

    def read_until(text):
        nonlocal shown
        while text not in shown:
            assert select.select([person], [], [], 60)[0], f"{text!r} never came: {shown!r}"
            shown += os.read(person, 4096)

    try:
        os.write(person, f"{setup}; echo re''ady\n".encode())
        read_until(b"ready\r\n")
        shown = b""
        os.write(person, line.encode())
        yield read_until
    finally:
        process.kill()
        process.wait()
        os.close(person)


@pytest.mark.parametrize(
    ("name", "options", "setup"),
    [
        ("bash", ["--norc", "-i"], 'eval "$(_TURNSPAN_COMPLETE=bash_source turnspan)"'),
        (
            "zsh",
            ["-f", "-i"],
            'autoload -Uz compinit; compinit -u -D; eval "$(_TURNSPAN_COMPLETE=zsh_source turnspan)"',
        ),
    ],
)
def test_the_lines_of_the_manual_make_a_shell_complete_ids(home, name, options, setup):
    """Typed at a real shell: an id is completed by the tab key, one with a colon in it, too."""
    shell = program(name)
    with contextlib.contextmanager(typed)([shell, *options], setup, home[0], "turnspan show bill\t") as read_until:
        read_until(b"show billing-1")
    with contextlib.contextmanager(typed)([shell, *options], setup, home[0], "turnspan show user\t") as read_until:
        read_until(b"show user:7")


def test_the_line_of_the_manual_makes_fish_complete_ids(home):
    """The same in fish, which says by itself what it would offer."""
    asked = '_TURNSPAN_COMPLETE=fish_source turnspan | source; complete -C "turnspan show supp"; complete -C "turnspan show user"'
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "TURNSPAN_HOME": str(home[0])}
    done = run(program("fish"), "-N", "-c", asked, env=environment)
    assert [line.split("\t")[0] for line in done.stdout.splitlines()] == ["support-42", "support-43", "user:7"]
