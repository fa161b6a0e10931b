"""The shell completes commands, options and ids."""

import pytest

import turnspan
from support.programs import BIN, run


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion") / "home"
    turnspan.configure(home=folder)
    for name in ("support-42", "support-43", "billing-1"):
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
    assert completed("show ", folder)[:2] == ["last", "billing-1"]
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
