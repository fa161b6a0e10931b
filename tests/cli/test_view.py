"""``turnspan view`` and ``export --format html`` as programs."""

import signal
import subprocess
import urllib.request

import pytest

import turnspan
from support.programs import PYTHON, run
from turnspan.recording import runtime


@pytest.fixture
def home(tmp_path):
    turnspan.configure(home=tmp_path / "home")
    with turnspan.session("s-1"), turnspan.turn(agent="triage", prompt="Where is <b>it</b>?") as turn:
        turn.response = "Here."
    runtime.shutdown(5.0)
    return tmp_path / "home"


def test_it_says_where_the_session_is_and_ends_when_it_is_interrupted(home):
    """The address that is printed answers with the session; Ctrl-C ends it at once, also while a page waits for news."""
    command = [PYTHON, "-m", "turnspan", "view", "last", "--home", str(home), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            assert address.endswith("/sessions/s-1")
            with urllib.request.urlopen(address) as answer:
                assert b"Where is &lt;b&gt;it&lt;/b&gt;?" in answer.read()
            with urllib.request.urlopen(address.replace("/sessions/s-1", "/live")) as news:
                assert news.readline().startswith(b"retry")
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0
            assert "Traceback" not in process.stderr.read()
        finally:
            process.kill()


def test_it_listens_elsewhere_only_with_a_token(home):
    """Sessions are not shown to a network by accident."""
    refused = run(PYTHON, "-m", "turnspan", "view", "--home", home, "--host", "0.0.0.0", "--port", "0")
    assert refused.returncode == 4 and "--token" in refused.stderr


def test_a_session_is_written_as_one_file(home, tmp_path):
    """It has its content, escaped, and neither a script nor anything that is loaded."""
    run(
        PYTHON,
        "-m",
        "turnspan",
        "export",
        "last",
        "--home",
        home,
        "--format",
        "html",
        "-o",
        tmp_path / "s.html",
        check=True,
    )
    page = (tmp_path / "s.html").read_text()
    assert "Where is &lt;b&gt;it&lt;/b&gt;?" in page and "Here." in page
    assert "<script" not in page and "src=" not in page and "default-src 'none'" in page
