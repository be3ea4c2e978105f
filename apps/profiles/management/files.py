"""Files that commands write: whole or not at all, readable by their owner only, never over another one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.management.base import CommandError


@contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that appears at `path` once it is complete. Raises CommandError where one is, or no such folder."""
    if path.exists():
        raise CommandError(f"There is a file {path} already: name another one, or remove it.")
    if not path.parent.is_dir():
        raise CommandError(f"There is no folder {path.parent}.")
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(aside).rename(path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
