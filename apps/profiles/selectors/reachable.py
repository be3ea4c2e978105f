"""Persons whom a clinic may link although row-level security does not show them to it yet.

The two functions of the database tell an id and a yes or no; a person becomes visible through the Patient row.
"""

from __future__ import annotations

from django.db import connection

from apps.organizations.models import User


def person_of_user(user: User) -> int | None:
    """Return the id of the user's person, whichever clinic wrote that person down first; None without one."""
    return _asked("SELECT restartix_person_of_user(%s)", user.pk)


def is_person_of_member(person_id: int) -> bool:
    """Say whether the person is that of an active member of the active organization."""
    return bool(_asked("SELECT restartix_is_person_of_member(%s)", person_id))


def _asked(question: str, key: int) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(question, [key])
        row = cursor.fetchone()
    answer: int | None = row[0] if row else None
    return answer
