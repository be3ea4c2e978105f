"""Signals while children are being started: none is lost, and no child is."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from restartix.embedded import stopping
from restartix.environment import ROOT


@pytest.fixture
def heeded():
    former = {number: signal.getsignal(number) for number in stopping.NUMBERS}
    stopping.heed()
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def test_a_signal_stops_at_once(heeded):
    with pytest.raises(stopping.Stop):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_waits_for_what_must_not_be_interrupted(heeded):
    reached = []

    def work():
        with stopping.held():
            with stopping.held():
                os.kill(os.getpid(), signal.SIGTERM)
                reached.append("inner")
            reached.append("outer")

    with pytest.raises(stopping.Stop):
        work()
    assert reached == ["inner", "outer"]
    with stopping.held():
        pass  # it has been heeded: it does not come again


def test_a_signal_in_the_middle_of_a_fork_is_not_lost_and_the_child_is_known(tmp_path):
    script = f"""
        import os, signal
        from pathlib import Path
        from restartix.embedded import stopping
        from restartix.embedded.processes import Child
        stopping.heed()
        os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
        child = Child("sleeper", ["sleep", "60"], Path({str(tmp_path / "log")!r}))
        try:
            child.start()
        except stopping.Stop:
            print("stopped", child.alive)
            child.kill()
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("stopped True\n", "")
