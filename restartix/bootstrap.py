"""From a bare Python to the project's own environment: standard library only, readable by Python 3.7.

Makes `.venv` from `requirements.lock` when it is missing or when the lock has changed, then runs the same command
again inside of it. A Python that is too old looks for a newer one first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / ".requirements"
NEEDED = (3, 11)
UV = "uv==0.13.9"
_OTHERS = ("python3.13", "python3.12", "python3.11", "python3.14", "python3")
_REENTERED = "MANAGE_PY_REENTERED"


def ensure() -> None:
    """Return if this process runs in an up-to-date environment; otherwise make it and start again in it.

    Exits with code 1 and a reason if there is no suitable Python or a package cannot be installed.
    """
    if os.environ.get("RESTARTIX_NO_BOOTSTRAP", "").lower() in ("1", "on", "true", "yes"):
        return
    if sys.version_info < NEEDED:
        _reenter(_newer_python())
    inside = Path(sys.prefix).resolve() == VENV.resolve()
    if inside and _current():
        os.environ.pop(_REENTERED, None)
        return
    if sys.prefix != sys.base_prefix and not inside and _importable():
        return
    prepare()
    _reenter(str(PYTHON))


def prepare() -> None:
    """Make or complete `.venv` unless it is current; a second process that comes meanwhile waits and finds it done."""
    with LOCK.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _current():
            return
        began = time.monotonic()
        _say("making the environment in .venv (once, and again when requirements.lock changes)")
        _make_venv()
        _install()
        _let_programs_find_the_project()
        STAMP.write_text(f"{_digest()} {sys.version_info[0]}.{sys.version_info[1]}")
        _say(f"environment ready after {time.monotonic() - began:.0f} s")


def _digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _current() -> bool:
    """Whether `.venv` works and holds what the lock names."""
    try:
        digest, version = STAMP.read_text().split()
    except (OSError, ValueError):
        return False
    return digest == _digest() and (VENV / "lib" / f"python{version}").exists() and PYTHON.exists()


def _importable() -> bool:
    """Whether the environment that somebody else made has what is needed."""
    try:
        import django  # noqa: F401
    except ImportError:
        return False
    return True


def _make_venv() -> None:
    if PYTHON.exists() and Path(sys.prefix).resolve() == VENV.resolve():
        return
    _say(f"1/3 Python {sys.version.split()[0]}")
    command = [str(getattr(sys, "_base_executable", sys.executable)), "-m", "venv", "--clear", str(VENV)]
    if _run(command, quiet=True):
        return
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    if not (apt_install([package]) and _run(command)):
        _fail(f"Python cannot make environments here. Install its venv module: apt-get install {package}")


def _install() -> None:
    """Install the locked packages, with uv where it can be had, else with pip."""
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    locked = ["--require-hashes", "-r", str(LOCK)]
    if Path("/etc/ssl/certs/ca-certificates.crt").exists():
        os.environ.setdefault("UV_SYSTEM_CERTS", "true")  # where the machine trusts a proxy, so do we
    _say("2/3 uv, the installer")
    has_uv = _run([*pip, "-qq", UV])
    _say(f"3/3 {LOCK.read_text().count('==')} packages")
    if has_uv and _run([str(VENV / "bin" / "uv"), "pip", "install", *quiet, "--python", str(PYTHON), *locked]):
        return
    _say("uv did not manage it: trying pip, which takes a minute or two")
    if not _run([*pip, *quiet, "--no-deps", *locked]):
        _fail("The packages of requirements.lock could not be installed; the reason stands above.")


def _let_programs_find_the_project() -> None:
    """Let every program in the environment import the project, from whatever folder it is started."""
    for packages in VENV.glob("lib/python*/site-packages"):
        (packages / "restartix.pth").write_text(f"{ROOT}\n")


def _newer_python() -> str:
    """Return the path of a Python that is new enough. Exits saying what to install if there is none."""
    for name in _OTHERS:
        path = shutil.which(name)
        if path and _run([path, "-c", f"import sys, venv; sys.exit(sys.version_info < {NEEDED})"], quiet=True):
            return path
    return _fail(
        f"Python {NEEDED[0]}.{NEEDED[1]} or newer is needed, this is {sys.version.split()[0]}. "
        "Install one: apt-get install python3 python3-venv"
    )


def apt_install(packages: Sequence[str]) -> bool:
    """Install Debian packages where this process may; return whether it worked."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    _say("installing " + " ".join(packages))
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    return _run(install, quiet=True) or (_run(["apt-get", "update", "-qq"], quiet=True) and _run(install, quiet=True))


def _run(command: Sequence[str], *, quiet: bool = False) -> bool:
    """Run a program and return whether it succeeded; `quiet` hides all it says, else it speaks on standard error."""
    output = subprocess.DEVNULL if quiet else sys.stderr
    return subprocess.run(command, check=False, stdout=output, stderr=output).returncode == 0


def _reenter(python: str) -> NoReturn:
    """Run the same command with another Python; gives up where that leads nowhere."""
    if os.environ.get(_REENTERED, "").count(":") > 2:
        _fail("The environment in .venv does not work: remove it and try again.")
    os.environ[_REENTERED] = os.environ.get(_REENTERED, "") + ":" + python
    os.execv(python, [python, *sys.argv])  # noqa: S606 - the same command, in the environment


def _say(message: str) -> None:
    sys.stderr.write(f"setup: {message}\n")
    sys.stderr.flush()


def _fail(message: str) -> NoReturn:
    _say(message)
    raise SystemExit(1)


if __name__ == "__main__":
    ensure()
