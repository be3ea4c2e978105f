"""`manage.py up`: servers, migrations, demo clinics, web, worker and beat in one terminal (contract/running.md)."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from restartix import environment
from restartix.embedded import state, stopping
from restartix.embedded.processes import ServerFailed, dying_with_parent
from restartix.embedded.servers import Servers
from restartix.embedded.stopping import Stop
from restartix.environment import ROOT, Environment
from restartix.launch import libraries
from restartix.launch.freshness import Stamp
from restartix.launch.offer import write_offer
from restartix.launch.parts import Parts
from restartix.launch.steps import Steps
from restartix.web import listening

DESCRIPTION = (
    "Start servers, web, worker and beat in one terminal; migrate and load demo clinics first. Ctrl-C stops all."
)
QUEUES = "default,webhooks,pdf,telemetry"
_READY_SECONDS = 60


def arguments_of(command_line: Sequence[str]) -> argparse.Namespace:
    """Read the command line. Exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=DESCRIPTION)
    add_arguments(parser)
    return parser.parse_args(command_line)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=_whole(0, 65_535), default=9000, help="0 takes a free one (default: 9000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--data-dir", type=Path, help="embedded servers, files, keys (default: DATA_DIR or .data)")
    parser.add_argument("--no-demo", action="store_true", help="load no demo clinics")
    parser.add_argument(
        "--workers", type=_whole(1, 64), default=1, metavar="N", help="web processes on the port (default: 1)"
    )


def _whole(least: int, most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers between two bounds."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text}: a whole number from {least} to {most} is expected")
        return int(text)

    return read


def main(command_line: Sequence[str]) -> int:
    """Run everything until told to stop. Returns 0 after an orderly stop, 1 if a part could not start or stay up."""
    options = arguments_of(command_line)
    if options.data_dir:
        os.environ["DATA_DIR"] = str(options.data_dir.resolve())
    stopping.heed()
    launch = Launch(options)
    try:
        with launch.port_and_folder():
            launch.run()
    except Stop:
        return 0
    except ServerFailed as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.strerror or error}: {error.filename or launch.data_dir}\n")
        return 1
    return 0


class Launch:
    """One run of `manage.py up`."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Read the environment; nothing is started."""
        self.options = options
        self.settings = Environment.read(os.environ)
        self.data_dir = self.settings.data_dir
        self.steps = Steps()
        self.listener: socket.socket | None = None
        self.servers = Servers(self.data_dir)
        self.parts: Parts | None = None

    @contextmanager
    def port_and_folder(self) -> Iterator[None]:
        """Take the port and the data folder, before anything is started. Raises ServerFailed if one is taken."""
        self.listener = self._take_port()
        with self.listener, self._own_folder():
            yield

    def run(self) -> None:
        """Start everything, say so, watch over it; stop everything however that ends."""
        try:
            self._start()
            while True:
                self._watch()
        except Stop:
            self.steps.tell("stopping: requests in flight may finish")
        finally:
            stopping.ignore()
            self._stop()

    @property
    def address(self) -> str:
        """Where the web listens."""
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self.options.port}"

    def _take_port(self) -> socket.socket:
        host, port = self.options.host, self.options.port
        try:
            listener = listening(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                running = state.read(self.data_dir)
                who = f" (RestartiX runs there already, process {running['pid']})" if running else ""
                reason = f"port {port} on {host} is taken{who}. Stop what listens there or choose another: --port 9001"
            else:
                reason = f"cannot listen on {host} port {port}: {error.strerror or error}"
            raise ServerFailed(f"{reason}. Nothing was started.") from error
        self.options.port = listener.getsockname()[1]
        return listener

    @contextmanager
    def _own_folder(self) -> Iterator[None]:
        """Hold the data folder; a command that uses it may finish first."""
        deadline = time.monotonic() + 20
        while True:
            with state.owning(self.data_dir, wait=False) as held:
                if held:
                    yield
                    return
            running = state.read(self.data_dir)
            if running or time.monotonic() > deadline:
                who = f"process {running['pid']}" if running else "another command"
                raise ServerFailed(
                    f"{self.data_dir} is in use by {who}: stop it, or choose another folder with --data-dir. "
                    "Nothing was started."
                )
            time.sleep(0.1)

    def _start(self) -> None:
        self._say_what_is_odd()
        with self.steps.step("servers") as notes:
            self.servers.start()
            notes.extend(self._names_of_servers())
        variables = self._variables()
        self.servers.write_down(debug=self.settings.debug, kind="up", address=self.address)
        self.parts = Parts(variables, self.data_dir / "log")
        (self.data_dir / "static").mkdir(exist_ok=True)
        self._start_web(self.parts)
        offer = self._prepare_if_needed(variables)
        self._start_background(self.parts)
        self._wait_until_ready(self.parts)
        write_offer(offer, self.data_dir, f"http://localhost:{self.options.port}")
        print(f"ready {self.address}", flush=True)  # noqa: T201

    def _say_what_is_odd(self) -> None:
        for name in environment.unknown():
            sys.stderr.write(f"warning: {name} is set, but no such variable exists\n")
        for library in libraries.install_missing():
            sys.stderr.write(f"warning: {library.advice}\n")
        kind = "development (DEBUG is on)" if self.settings.debug else "production settings (DEBUG is off)"
        self.steps.tell(f"RestartiX, {kind}, data in {self.data_dir}")

    def _names_of_servers(self) -> list[str]:
        postgres, valkey = self.servers.postgres, self.servers.valkey
        return [
            f"PostgreSQL ({postgres.origin}) on port {postgres.port}," if postgres else "PostgreSQL by DATABASE_URL,",
            f"Valkey on port {valkey.port}" if valkey else "broker by REDIS_URL",
        ]

    def _variables(self) -> dict[str, str]:
        """Return the environment of the parts: ours, completed by the servers and this run's address."""
        variables = {**os.environ, **self.servers.variables, "RESTARTIX_NO_BOOTSTRAP": "on"}
        variables["DATA_DIR"] = str(self.data_dir)
        variables["DEBUG"] = "on" if self.settings.debug else "off"
        if self.settings.debug:
            variables.setdefault("PUBLIC_URL", f"http://localhost:{self.options.port}")
        variables["RESTARTIX_READY_FILE"] = str(self._worker_ready)
        return variables

    @property
    def _worker_ready(self) -> Path:
        return self.data_dir / "worker.ready"

    def _start_web(self, parts: Parts) -> None:
        """Start the web processes on the one socket: they begin to answer while the rest is prepared."""
        assert self.listener is not None
        descriptor = self.listener.fileno()
        for number in range(1, self.options.workers + 1):
            name = "web" if self.options.workers == 1 else f"web-{number}"
            parts.add(name, "restartix.web", "--fd", str(descriptor), descriptors=[descriptor])

    def _start_background(self, parts: Parts) -> None:
        self._worker_ready.unlink(missing_ok=True)
        level = "--loglevel=WARNING"
        pool = ["--pool=threads", f"--concurrency={self.settings.worker_threads}"]
        quiet = ["--without-gossip", "--without-mingle"]
        celery = ["celery", "--quiet", "-A", "restartix.celery"]
        parts.add("worker", *celery, "worker", *pool, "-Q", QUEUES, level, *quiet)
        schedule = self.data_dir / "beat"
        schedule.mkdir(exist_ok=True)
        parts.add("beat", *celery, "beat", "-s", str(schedule / "schedule"), level)

    def _prepare_if_needed(self, variables: Mapping[str, str]) -> Mapping[str, Any]:
        """Prepare the database unless this code has done so today; one that is not ours is always prepared."""
        postgres = self.servers.postgres
        if not postgres:
            return self._prepare(variables)
        stamp = Stamp(postgres.folder, demo=self._wants_demo)
        offer = stamp.offer()
        if offer is None:
            stamp.remove()
            offer = self._prepare(variables)
            stamp.leave(offer)
        return offer

    @property
    def _wants_demo(self) -> bool:
        return self.settings.debug and not self.options.no_demo

    def _prepare(self, variables: Mapping[str, str]) -> dict[str, Any]:
        """Migrate, collect, seed. Raises ServerFailed if that fails; its own words stand above on the terminal."""
        command = [sys.executable, "-m", "restartix.launch.prepare"]
        if self._wants_demo:
            command.append("--demo")
        with self.steps.step("prepared"), tempfile.TemporaryFile() as told:
            code = self._run(command, variables, told)
            told.seek(0)
            answer = told.read()
        if code:
            raise ServerFailed(f"the database could not be prepared (exit code {code}), see above")
        offer: dict[str, Any] = json.loads(answer or b"{}")
        return offer

    def _run(self, command: Sequence[str], variables: Mapping[str, str], output: IO[bytes]) -> int:
        """Run one command to its end, passing on meanwhile what the parts say; returns its exit code."""
        process = None
        try:
            with stopping.held():
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=dict(variables),
                    stdout=output,
                    preexec_fn=dying_with_parent(signal.SIGKILL),  # noqa: PLW1509 - a single prctl call
                )
            while process.poll() is None:
                if self.parts:
                    self.parts.pump(0.05)
            return int(process.returncode)
        finally:
            if process:
                process.kill()
                process.wait()

    def _wait_until_ready(self, parts: Parts) -> None:
        """Wait until requests are answered and tasks are taken. Raises ServerFailed if that does not come about."""
        deadline = time.monotonic() + _READY_SECONDS
        with self.steps.step("web, worker, beat"):
            while not (self._answers() and self._worker_ready.exists()):
                parts.check()
                parts.pump(0.05)
                if time.monotonic() > deadline:
                    raise ServerFailed(
                        f"not ready after {_READY_SECONDS} s: {self._complaint}; logs: {self.data_dir}/log"
                    )

    _complaint = "no answer yet"

    def _answers(self) -> bool:
        host = "127.0.0.1" if self.options.host in ("0.0.0.0", "::") else self.options.host  # noqa: S104
        url = f"http://{f'[{host}]' if ':' in host else host}:{self.options.port}/healthz/ready"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return bool(answer.status == 200)
        except urllib.error.HTTPError as error:
            self._complaint = error.read().decode(errors="replace")
        except OSError as error:
            self._complaint = str(error)
        return False

    def _watch(self) -> None:
        """Pass on what the parts say, and start again what has fallen."""
        assert self.parts is not None
        self.parts.pump(0.25)
        for server in (self.servers.postgres, self.servers.valkey):
            if server and server.child and not server.alive:
                child = server.child
                self.parts.note_fall(child.name, child.failure)
                self.steps.tell(f"{child.name} {child.ending}: starting it again, see {child.log}")
                server.start()
                self.steps.tell(f"{child.name} runs again")
        self.parts.mend(self.steps.tell)

    def _stop(self) -> None:
        """Stop in order: no new connections, requests in flight, workers, broker, database."""
        if self.listener:
            self.listener.close()
        if self.parts:
            self.parts.stop(web_seconds=self.settings.web_shutdown_grace)
        self.servers.stop()
        self.steps.tell("stopped")
