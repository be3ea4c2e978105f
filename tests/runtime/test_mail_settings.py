"""Where mail goes when nobody has said so."""

from __future__ import annotations

from pathlib import Path

from restartix.testing.processes import manage


def test_mail_of_a_first_run_is_kept_below_the_data_folder(tmp_path: Path) -> None:
    shown = manage(
        "shell", "--no-imports", "-c", "from django.conf import settings; print(settings.EMAIL_FILE_PATH)",
        DEBUG="on", DATA_DIR=str(tmp_path),
    )  # fmt: skip

    assert shown.stdout.split()[-1] == str(tmp_path / "mail")
