"""The way from a bare Python into the project's environment."""

import subprocess
import sys
from pathlib import Path

from restartix import bootstrap
from restartix.environment import ROOT
from restartix.testing.processes import newcomers_environment


def run(python, *arguments, **variables):
    """Run `manage.py` with some Python."""
    environment = newcomers_environment(**variables)
    command = [python, str(ROOT / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/", timeout=60)


def test_the_entry_uses_only_the_standard_library_until_the_environment_is_there():
    look = (
        "import sys; sys.path.insert(0, sys.argv[1]); import restartix.bootstrap; "
        "print([name for name in sys.modules if name.split('.')[0] in ('django', 'psycopg', 'environ')])"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", look, str(ROOT)], capture_output=True, text=True, check=True, env={"PATH": "/bin"}
    )
    assert done.stdout.strip() == "[]"


def test_a_python_outside_of_it_ends_up_inside():
    outside = Path(sys.base_prefix, "bin", "python3")
    done = run(str(outside), "version", RESTARTIX_NO_BOOTSTRAP="")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5.2")


def test_inside_nothing_is_done_again():
    done = run(sys.executable, "version", RESTARTIX_NO_BOOTSTRAP="")
    assert done.returncode == 0
    assert "setup:" not in done.stderr


def test_a_changed_lock_makes_the_environment_stale(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    assert not bootstrap._current()
    version = "{}.{}".format(*sys.version_info[:2])
    (tmp_path / "stamp").write_text(f"{bootstrap._digest()} {version}")
    assert bootstrap._current()
    (tmp_path / "stamp").write_text(f"{'0' * 64} {version}")
    assert not bootstrap._current()


def test_make_lists_its_targets():
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True)
    for target in ("setup", "run", "test", "check", "bench"):
        assert f"make {target} " in done.stdout
