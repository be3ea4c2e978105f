"""A scratch database and broker for development: `python -m restartix.embedded --data-dir /tmp/x`.

Prints the addresses as `NAME=value` lines and keeps both servers running until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from restartix.embedded.processes import ServerFailed
from restartix.embedded.servers import borrowed


def main() -> int:
    """Run the servers. Returns 0 after an orderly stop, 1 if one could not be started."""
    parser = argparse.ArgumentParser(prog="python -m restartix.embedded", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".data"), help="where their files live")
    parser.add_argument("--throwaway", action="store_true", help="fast and forgetful: fsync off")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with borrowed(options.data_dir.resolve(), throwaway=options.throwaway) as variables:
            for name, value in variables.items():
                sys.stdout.write(f"{name}={value}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except ServerFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
