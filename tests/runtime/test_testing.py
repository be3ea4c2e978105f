"""The test servers themselves: whom tests run as, and what they leave behind."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection


@pytest.mark.django_db
class TestTheDatabaseOfTests:
    def test_is_used_as_the_application_role(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_user, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
            assert cursor.fetchone() == ("restartix_app", False, False)

    def test_is_owned_by_another_role(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'restartix_owner'"
            )
            assert cursor.fetchone() == (0,)


class TestATestThatCommits:
    def test_leaves_its_rows_for_others_to_see(self, committed_db, test_servers):
        ContentType.objects.create(app_label="left", model="behind")
        with test_servers.postgres.connect(test_servers.database) as other:
            assert other.execute("SELECT count(*) FROM django_content_type WHERE app_label = 'left'").fetchone() == (1,)

    def test_finds_none_of_another_test(self, committed_db):
        assert not ContentType.objects.filter(app_label="left").exists()
        assert ContentType.objects.exists()
