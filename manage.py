#!/usr/bin/env python3
"""The one entry to every command: makes the environment on first use, then hands over to Django."""

import os
import sys


def main() -> None:
    """Run `manage.py COMMAND` inside the project's own environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "restartix.settings")
    from restartix.bootstrap import ensure

    ensure()
    from restartix.cli import main as run

    raise SystemExit(run(sys.argv))


if __name__ == "__main__":
    main()
