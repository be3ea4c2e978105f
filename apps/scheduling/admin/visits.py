"""A visit on the board: its card, what may be done with it there, and moving it.

The card is asked for when it is opened, so it offers what this person may do with the visit as it stands now. Answers
to acts are JSON, for the script that shows the board; without it the same acts are on the appointment's own page.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.db import DatabaseError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.template.response import TemplateResponse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from apps.profiles.models import Specialist
from apps.scheduling.admin.appointment_moves import CancelForm
from apps.scheduling.admin.appointments import short_moment, status_badge
from apps.scheduling.errors import ChangedMeanwhile, SlotUnavailable
from apps.scheduling.lifecycles import MOVABLE, AppointmentStatus
from apps.scheduling.models import Appointment
from apps.scheduling.selectors.day import Booked, Held, standing_in, version_of
from apps.scheduling.services import appointments
from apps.scheduling.services.placing import place
from restartix.kernel import clock
from restartix.kernel.admin import trail
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.forms import paths_of, said
from restartix.kernel.admin.moves import Move
from restartix.kernel.admin.navigation import Page
from restartix.kernel.api.errors import is_contention
from restartix.kernel.errors import Refusal
from restartix.kernel.roles import STAFF, Role
from restartix.kernel.tenancy import Actor

site: Any = admin.site
#: What the card does by itself, in this order; other moves of an appointment are links to their pages.
ACTS = ("arrived", "start", "finish", "confirm", "not-arrived", "no-show", "cancel")
#: Acts that are offered to whoever may make them by the status that they lead to.
LEADS_TO = {
    "confirm": AppointmentStatus.CONFIRMED,
    "start": AppointmentStatus.INPROGRESS,
    "finish": AppointmentStatus.DONE,
    "no-show": AppointmentStatus.NOSHOW,
}
LONGEST_ADDRESS = 500
ATTEMPTS, PAUSE_SECONDS = 4, 0.02
#: Seconds since 1970 at the end of the year 9998.
LAST_INSTANT = 253_370_764_799


class PlaceForm(forms.Form):
    """Where a visit goes: an instant, as the board knows it, or a time of the clinic's clock, as it is typed."""

    version = forms.CharField(max_length=100)
    start = forms.IntegerField(min_value=0, max_value=LAST_INSTANT, required=False)
    day = forms.DateField(required=False)
    time = forms.TimeField(required=False)
    specialist = forms.ModelChoiceField(queryset=Specialist.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Know the clinic's specialists."""
        super().__init__(*args, **kwargs)
        self.fields["specialist"].queryset = Specialist.objects.alive()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Make one instant of what was given, on the minute."""
        given = self.cleaned_data
        if given.get("start") is not None:
            given["started_at"] = datetime.fromtimestamp(given["start"] // 60 * 60, UTC)
        elif given.get("day") and given.get("time"):
            given["started_at"] = self._on_the_clock(datetime.combine(given["day"], given["time"]))
        elif not self.errors:
            raise forms.ValidationError(_("Say to which day and time."))
        return given

    @staticmethod
    def _on_the_clock(wall: datetime) -> datetime:
        """Return the instant at which the clinic's clock shows `wall`, the first of two; a skipped one is refused."""
        zone = timezone.get_current_timezone()
        if not 1970 < wall.year < 9998:
            raise forms.ValidationError(_("Say to which day and time."))
        moment = wall.replace(second=0, microsecond=0, tzinfo=zone).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) != wall.replace(second=0, microsecond=0):
            raise forms.ValidationError(_("The clock skips that time: choose another one."))
        return moment


def card(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Show the visit with everything that may be done with it from the board."""
    row = _row(request, visit_id)
    page = site.get_model_admin(Appointment)
    offered = _offered(request, row)
    local = timezone.localtime(row.started_at)
    context = {
        "row": row,
        "who": page.who(row),
        "when": short_moment(row.started_at),
        "until": timezone.localtime(row.ended_at),
        "badge": status_badge(row),
        "version": version_of(row),
        "waiting_minutes": _waiting(row),
        "acts": [offered[name] for name in ACTS if name in offered and not offered[name].needs_page],
        "no_show": offered.get("no-show"),
        "cancel": offered.get("cancel"),
        "cancel_form": CancelForm(prefix="cancel"),
        "companions": page.open_companions(request, row),
        "back": urlencode({"next": request.GET.get("next", "")[:LONGEST_ADDRESS]}),
        "others": [move for name, move in offered.items() if name not in (*ACTS, "reschedule")],
        "may_move": "reschedule" in offered,
        "people": _specialists(request) if "reschedule" in offered else [],
        "day": local.date(),
        "time": local,
        "minutes": int(row.duration.total_seconds()) // 60,
    }
    return TemplateResponse(request, "admin/scheduling/visit.html", context)


def act(request: HttpRequest, visit_id: int, name: str) -> Any:
    """Make one of the moves that the card offers. Raises Http404 for any other."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = _row(request, visit_id)
    move = _offered(request, row).get(name)
    if name not in ACTS:
        raise Http404
    if move is None:
        return _refused(_("That cannot be done with this visit any more: it has changed."), code="changed_meanwhile")
    form = move.form(request.POST, prefix=name) if move.form else None
    if form is not None and not form.is_valid():
        return _refused(_first_error(form), status=422)
    values = {key: given for key, given in form.cleaned_data.items() if given} if form else {}
    try:
        with transaction.atomic():
            move.does(row, by=entry_of(request).actor, **values)
    except Refusal as refusal:
        return _refused(_told(refusal), status=refusal.status, code=refusal.code)
    who = site.get_model_admin(Appointment).who(row)
    return JsonResponse({"said": _("%(who)s: %(what)s.") % {"who": who, "what": move.label}})


def move_visit(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Move the visit from where the board showed it to another time or specialist."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = _row(request, visit_id)
    form = PlaceForm(request.POST)
    if not form.is_valid():
        return _refused(_first_error(form), status=422)
    asked = form.cleaned_data
    before = row.started_at, row.specialist_id
    try:
        moved = _placed(row, asked, by=entry_of(request).actor)
    except ChangedMeanwhile as refusal:
        return _refused(_who_was_faster(row) or _told(refusal), code=refusal.code)
    except SlotUnavailable as refusal:
        specialist = asked["specialist"] or row.specialist
        return _refused(_who_is_there(row, specialist, asked["started_at"]) or _told(refusal), code=refusal.code)
    except Refusal as refusal:
        return _refused(_told(refusal), status=refusal.status, code=refusal.code)
    told = {
        "who": site.get_model_admin(Appointment).who(moved),
        "when": short_moment(moved.started_at),
        "specialist": str(moved.specialist),
    }
    undo = {"start": int(before[0].timestamp()), "specialist": before[1], "version": version_of(moved)}
    has_moved = before != (moved.started_at, moved.specialist_id)
    return JsonResponse(
        {"said": _("%(who)s is now at %(when)s with %(specialist)s.") % told, "undo": undo if has_moved else None}
    )


def _placed(row: Appointment, asked: dict[str, Any], *, by: Actor) -> Appointment:
    """Move the visit; when two moves stand in each other's way, the one that is sent back tries again.

    Raises SlotUnavailable (409) when that keeps happening, and what `place` raises.
    """
    for attempt in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return place(
                    row,
                    seen=asked["version"],
                    started_at=asked["started_at"],
                    specialist=asked["specialist"],
                    by=by,
                )
        except DatabaseError as error:
            if not is_contention(error):
                raise
            time.sleep(PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))
    raise SlotUnavailable


# -- what is refused, in words -----------------------------------------------------------------------------------------


def _refused(text: str, *, status: int = 409, code: str = "invalid") -> JsonResponse:
    return JsonResponse({"said": text, "code": code}, status=status)


def _told(refusal: Refusal) -> str:
    """Return the refusal's own words."""
    return " ".join(said(message) for messages in paths_of(refusal).values() for message in messages)


def _first_error(form: forms.Form) -> str:
    return str(next(iter(form.errors.values()))[0])


def _who_was_faster(row: Appointment) -> str:
    """Return who changed the visit while it was looked at, and when."""
    change = trail.last_change("appointment", row)
    if change is None:
        return ""
    told = {
        "name": change.actor or change.source,
        "time": formats.date_format(timezone.localtime(change.at), "TIME_FORMAT"),
    }
    if {"started_at", "specialist_id"} & set(change.values):
        return _("%(name)s moved this visit at %(time)s. Nothing was changed.") % told
    return _("%(name)s changed this visit at %(time)s. Nothing was moved.") % told


def _who_is_there(row: Appointment, specialist: Specialist, started_at: datetime) -> str:
    """Return what stands where the visit should have gone."""
    start = int(started_at.timestamp())
    end = start + int(row.duration.total_seconds()) + row.gap_minutes * 60
    there = standing_in(specialist.pk, start, end, but=row.pk)
    if there is None:
        return ""
    told = {"specialist": str(specialist), "from": _clock(there.start), "until": _clock(_until(there))}
    if isinstance(there, Held):
        return _("%(specialist)s is not free: %(from)s–%(until)s is being chosen right now.") % told
    told["who"] = there.name
    return _("%(specialist)s is not free: %(who)s has %(from)s–%(until)s.") % told


def _until(entry: Booked | Held) -> int:
    return entry.kept_until if isinstance(entry, Booked) else entry.end


def _clock(second: int) -> str:
    return f"{datetime.fromtimestamp(second, ZoneInfo(timezone.get_current_timezone_name())):%H:%M}"


# -- the visit ---------------------------------------------------------------------------------------------------------


def _row(request: HttpRequest, visit_id: int) -> Appointment:
    rows = site.get_model_admin(Appointment).get_queryset(request).select_related("specialist", "patient__person")
    row: Appointment | None = rows.filter(pk=visit_id).first()
    if row is None or entry_of(request).workplace is None:
        raise Http404
    return row


def _offered(request: HttpRequest, row: Appointment) -> dict[str, Move]:
    """Return the moves that this person may make with the visit as it stands, by name."""
    actor = entry_of(request).actor
    moves = site.get_model_admin(Appointment).open_moves(request, row)
    return {
        move.name: move
        for move in moves
        if move.name not in LEADS_TO or appointments.may_set(row, LEADS_TO[move.name], by=actor)
    }


def _specialists(request: HttpRequest) -> list[Specialist]:
    """Return to whom this person may give the visit: specialists keep theirs."""
    entry = entry_of(request)
    rows = Specialist.objects.alive().order_by("name", "pk")
    return list(rows.filter(user_id=entry.actor.user_id or 0) if entry.role == Role.SPECIALIST else rows)


def _waiting(row: Appointment) -> int | None:
    if row.arrived_at is None or row.status not in MOVABLE:
        return None
    return max(int((clock.now() - row.arrived_at).total_seconds()), 0) // 60


site.add_page(Page(path="today/visits/<id:visit_id>/", name="visit_card", view=card, may=STAFF))
site.add_page(Page(path="today/visits/<id:visit_id>/move/", name="visit_move", view=move_visit, may=STAFF))
site.add_page(Page(path="today/visits/<id:visit_id>/<slug:name>/", name="visit_act", view=act, may=STAFF))
