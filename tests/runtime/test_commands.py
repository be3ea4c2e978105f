"""Management commands: one JSON document on standard output, messages on standard error, exit codes 0, 1, 2."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from restartix.kernel.commands import Command
from restartix.kernel.errors import AlreadyTaken
from restartix.kernel.periodic import periodic, periodic_tasks
from restartix.testing.processes import manage

CALLS = []


@periodic("_test_only", every="0 3 * * *")
def count_calls():
    """Count how often this was called."""
    CALLS.append(1)
    return len(CALLS)


def run(command, *arguments, **options):
    """Call a command and return its exit code, its standard output and its standard error."""
    out, err = StringIO(), StringIO()
    try:
        call_command(command, *arguments, stdout=out, stderr=err, **options)
    except SystemExit as end:
        return end.code, out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


class Refusing(Command):
    def perform(self, **options):
        self.say("about to refuse")
        raise AlreadyTaken("slug")


class Reporting(Command):
    can_dry_run = True

    def perform(self, *, dry_run, **options):
        return {"ok": False, "dry_run": dry_run}

    def failed(self, result):
        return not result["ok"]


class TestEveryCommand:
    def test_prints_one_json_document_or_lines(self):
        assert json.loads(run(Reporting(), "--json")[1]) == {"ok": False, "dry_run": False}
        assert run(Reporting(), "--dry-run")[1] == "ok: False\ndry_run: True\n"

    def test_may_report_and_fail_all_the_same(self):
        assert run(Reporting())[0] == 1

    def test_turns_a_refusal_into_its_reason(self):
        out, err = StringIO(), StringIO()
        with pytest.raises(CommandError, match="Another row already uses this value"):
            call_command(Refusing(), "--json", stdout=out, stderr=err)
        assert json.loads(out.getvalue())["error"] == {
            "code": "conflict",
            "message": "Another row already uses this value.",
            "details": {"field": "slug", "error": "already taken"},
        }
        assert err.getvalue() == "about to refuse\n"


class TestRunPeriodic:
    def test_runs_a_task_at_once_and_reports_what_it_returned(self):
        before = len(CALLS)
        code, out, _ = run("run_periodic", "_test_only", "--json")
        assert (code, json.loads(out)["result"]) == (0, before + 1)

    def test_lists_the_tasks_with_their_schedule(self):
        rows = {row["name"]: row for row in json.loads(run("run_periodic", "--list", "--json")[1])}
        assert rows["_test_only"]["schedule"] == "at 0 3 * * * UTC"
        assert rows["_test_only"]["meaning"] == "Count how often this was called."

    def test_refuses_a_name_that_is_not_there(self):
        with pytest.raises(CommandError, match="no periodic task 'nothing'"):
            call_command("run_periodic", "nothing")

    def test_two_tasks_cannot_have_one_name(self):
        with pytest.raises(ValueError, match="_test_only"):
            periodic("_test_only", every=5)(lambda: None)

    def test_every_task_says_what_it_does(self):
        assert all(task.meaning != task.name for task in periodic_tasks().values())

    def test_the_beat_knows_every_task(self):
        from restartix.celery import app

        app.finalize()
        assert set(app.conf.beat_schedule) >= set(periodic_tasks()) - {"_test_only"}


class TestFromATerminal:
    def test_wrong_usage_exits_with_2(self, tmp_path):
        assert manage("dev_secrets", "--nothing", DATA_DIR=str(tmp_path)).returncode == 2

    def test_development_secrets_are_shown_in_development_only(self, tmp_path):
        shown = manage("dev_secrets", "--json", DATA_DIR=str(tmp_path))
        assert json.loads(shown.stdout)["clerk_webhook_secret"].startswith("whsec_")
        refused = manage("dev_secrets", "--json", DATA_DIR=str(tmp_path), DEBUG="off", SECRET_KEY="s" * 50)
        assert refused.returncode == 1
        assert "DEBUG is off" in refused.stderr
        assert json.loads(refused.stdout)["error"]["code"] == "refused"


@pytest.mark.usefixtures("committed_db")
class TestTheDoctor:
    def test_finds_the_tests_own_servers_well(self):
        code, out, _ = run("doctor", "--json")
        report = json.loads(out)
        assert (code, report["failed"]) == (0, []), report

    def test_finds_a_table_without_a_policy(self, test_servers):
        with test_servers.postgres.connect(test_servers.database) as superuser:
            superuser.execute("CREATE TABLE unguarded (organization_id bigint)")
            superuser.execute("GRANT SELECT ON unguarded TO restartix_app")
            try:
                code, out, _ = run("doctor", "--json")
            finally:
                superuser.execute("DROP TABLE unguarded")
        finding = next(finding for finding in json.loads(out)["checks"] if finding["name"] == "row-level security")
        assert code == 1
        assert finding["found"] == "no forced policy on unguarded"
        assert "ProtectTenantTable" in finding["mend"]
