"""Deliberate breakages, and the test that has to notice each of them: what makes a green suite worth believing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """One line of the program, broken: `old` stands once in `file` and becomes `new`; `caught_by` has to fail."""

    breaks: str
    file: str
    old: str
    new: str
    caught_by: str

    @property
    def path(self) -> str:
        """The file of the test."""
        return self.caught_by.partition("::")[0]


_PROTECTION = "restartix/kernel/protection.py"
_FIRST = "apps/scheduling/migrations/0001_initial.py"

MUTANTS = [
    # the database guards each clinic's rows
    Mutant(
        "row-level security is not forced",
        _PROTECTION,
        " ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        " ENABLE ROW LEVEL SECURITY",
        "tests/conventions/test_models.py::test_every_table_with_an_organization_forces_row_level_security",
    ),
    Mutant(
        "every policy lets every row be read",
        _PROTECTION,
        "USING ({own}) WITH CHECK ({check})",
        "USING (true) WITH CHECK ({check})",
        "tests/isolation/test_tenancy.py::test_raw_sql_reaches_no_other_organization",
    ),
    Mutant(
        "policies do not judge what is written",
        _PROTECTION,
        "USING ({own}) WITH CHECK ({check})",
        "USING ({own}) WITH CHECK (true)",
        "tests/isolation/test_tenancy.py::test_raw_sql_reaches_no_other_organization",
    ),
    Mutant(
        "one table has no policy",
        _FIRST,
        '        *tenant_table("Claim", entity="claim"),\n',
        "",
        "tests/conventions/test_models.py::test_every_tenant_table_is_isolated_by_the_database",
    ),
    Mutant(
        "one table leaves no audit rows",
        _PROTECTION,
        "return [IsolateTable(model, also_visible=also_visible), AuditTable(model, entity=entity, **audit)]",
        "return [IsolateTable(model, also_visible=also_visible)]",
        "tests/conventions/test_models.py::test_every_table_is_audited_or_says_why_not",
    ),
    Mutant(
        "the audit row names nobody",
        _PROTECTION,
        "COALESCE(context ->> 'actor_type', 'system'),",
        "'system',",
        "tests/organizations/test_api_members.py",
    ),
    # who may
    Mutant(
        "specialists see every appointment",
        "apps/scheduling/querysets.py",
        "return self.alive().filter(specialist__user_id=actor.user_id)",
        "return self.alive()",
        "tests/scheduling/test_scenarios_appointments.py",
    ),
    Mutant(
        "patients may begin a session",
        "apps/scheduling/services/appointments.py",
        "(S.UPCOMING, S.INPROGRESS): ADMINS,",
        "(S.UPCOMING, S.INPROGRESS): ADMINS | {Role.PATIENT},",
        "tests/scheduling/test_api_appointments.py",
    ),
    Mutant(
        "staff act in person for a patient",
        "restartix/kernel/api/impersonated.py",
        "        raise Impersonating\n",
        "        return\n",
        "tests/profiles/test_impersonation.py",
    ),
    Mutant(
        "the gate of a profile stands open",
        "apps/profiles/selectors/people.py",
        "return bool(patient.is_own) or ConsentType.PROFILE_SHARING in patient.active_types",
        "return True",
        "tests/profiles/test_api_patients.py",
    ),
    # tokens
    Mutant(
        "another party's token is believed",
        "restartix/kernel/tokens.py",
        "if party is not None and parties and not (isinstance(party, str) and party in parties):",
        "if False:",
        "tests/kernel_api/test_authentication.py",
    ),
    Mutant(
        "a token never ends",
        "restartix/kernel/tokens.py",
        "if not now < expires + issuer.leeway_seconds:",
        "if False:",
        "tests/kernel_api/test_authentication.py",
    ),
    Mutant(
        "a token without a subject is believed",
        "restartix/kernel/tokens.py",
        "if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():",
        "if False:",
        "tests/kernel_api/test_authentication.py",
    ),
    Mutant(
        "any token opens a hold",
        "apps/scheduling/services/bookings.py",
        '.filter(hold_id=hold_id, token_digest=token_digest(token or ""))',
        ".filter(hold_id=hold_id)",
        "tests/scheduling/test_scenarios_booking.py::test_only_the_token_opens_a_hold",
    ),
    # never twice, never lost
    Mutant(
        "claims may overlap",
        _FIRST,
        "ranges.DateTimeRangeField()), '&&')], name='claim_specialist_free'",
        "ranges.DateTimeRangeField()), '=')], name='claim_specialist_free'",
        "tests/races/test_booking.py::test_a_claim_that_overlaps_is_refused_to_raw_sql",
    ),
    Mutant(
        "taking time waits for nobody",
        "apps/scheduling/services/claims.py",
        "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
        "VALUES (%s, %s, %s, %s, %s) RETURNING id",
        "tests/races/test_booking.py",
    ),
    Mutant(
        "the quota of live holds is not locked",
        "apps/scheduling/services/holds.py",
        '_LOCK = "SELECT pg_advisory_xact_lock(%s), pg_advisory_xact_lock(%s)"',
        '_LOCK = "SELECT %s, %s"',
        "tests/races/test_booking.py::test_a_visitors_quota_is_exact_under_concurrency",
    ),
    Mutant(
        "a lapsed hold can still be booked",
        "apps/scheduling/services/bookings.py",
        "if held.status != HoldStatus.LIVE or held.is_lapsed:",
        "if held.status != HoldStatus.LIVE:",
        "tests/scheduling/test_scenarios_booking.py::test_a_lapsed_hold_blocks_nobody_and_is_never_revived",
    ),
    Mutant(
        "the same key with another body gets the first answer",
        "restartix/kernel/api/idempotency.py",
        "if bytes(fingerprint) != self.fingerprint:",
        "if False:",
        "tests/kernel_api/test_idempotency.py",
    ),
    Mutant(
        "two twins run at once",
        "restartix/kernel/api/idempotency.py",
        '"SELECT pg_try_advisory_xact_lock(%s)", [',
        '"SELECT %s IS NOT NULL", [',
        "tests/kernel_api/test_idempotency.py",
    ),
    Mutant(
        "what was read long ago may be overwritten",
        "restartix/kernel/api/etags.py",
        'if header.strip() != "*" and f\'"{plain}"\' not in named:',
        "if False:",
        "tests/kernel_api/test_etags.py",
    ),
    Mutant(
        "patients cancel after the cut-off",
        "apps/scheduling/services/appointments.py",
        "    if as_patient and late:\n",
        "    if False:\n",
        "tests/scheduling/test_scenarios_appointments.py",
    ),
    # webhooks
    Mutant(
        "a delivery counts as done before it is sent",
        "apps/organizations/services/claiming.py",
        "SET lease_until = %(until)s, lease_token = gen_random_uuid()",
        "SET lease_until = %(until)s, lease_token = gen_random_uuid(), status = 'delivered', next_attempt_at = NULL, "
        "completed_at = now()",
        "tests/organizations/test_webhook_engine.py",
    ),
    Mutant(
        "addresses inside are not judged",
        "restartix/kernel/outbound/posting.py",
        "if not all(self.may_reach(host, address) for address in addresses):",
        "if False:",
        "tests/organizations/test_webhook_sender.py",
    ),
    Mutant(
        "6to4 counts as the public internet",
        "restartix/kernel/outbound/addresses.py",
        '("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20")',
        '("2001::/23", "2001:db8::/32", "3fff::/20")',
        "tests/organizations/test_webhook_addresses.py",
    ),
    Mutant(
        "signatures of yesterday are good",
        "restartix/kernel/signatures.py",
        "TOLERANCE_SECONDS = 300",
        "TOLERANCE_SECONDS = 90_000",
        "tests/organizations/test_identity_webhook.py",
    ),
    # limits, input, evidence
    Mutant(
        "one request more than the limit",
        "restartix/kernel/api/throttling.py",
        "if counts[i] >= tonumber(ARGV[2 * i - 1]) then admitted = 0 end",
        "if counts[i] > tonumber(ARGV[2 * i - 1]) then admitted = 0 end",
        "tests/kernel_api/test_throttling.py",
    ),
    Mutant(
        "unknown fields are passed over",
        "restartix/kernel/api/serializers.py",
        "        if unknown:\n",
        "        if False:\n",
        "tests/kernel_api/test_fields.py",
    ),
    Mutant(
        "a phone is kept in the clear",
        "restartix/kernel/crypto.py",
        "return value if isinstance(value, bytes | memoryview) else seal(str(value).encode(), place=self._place())",
        "return value if isinstance(value, bytes | memoryview) else str(value).encode()",
        "tests/organizations/test_rotation.py",
    ),
]
