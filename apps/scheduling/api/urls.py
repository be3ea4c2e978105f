"""The scheduling index: every path and verb of appointments, templates, free times, holds and booking."""

from django.urls import path

from apps.scheduling.api.appointments import Appointments
from apps.scheduling.api.calendar import Calendar
from apps.scheduling.api.explaining import Explanations
from apps.scheduling.api.feeds import CalendarFeeds, PublicFeeds
from apps.scheduling.api.onboarding import Onboarding
from apps.scheduling.api.paperwork import AppointmentForms
from apps.scheduling.api.public import Bookings, Holds, ManagedAppointments, OfferedTemplates, Timeslots
from apps.scheduling.api.templates import AppointmentTemplates
from apps.scheduling.api.videocalls import Videocalls
from apps.scheduling.api.waitlist import WaitingList, WaitlistEntries
from restartix.kernel.api.resources import writes

urlpatterns = [
    path("appointments", Appointments.as_view({"get": "list", "post": "create"})),
    path("appointments/from-template", Appointments.as_view({"post": "create_from_template"})),
    path("appointments/<id:id>", Appointments.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"})),
    path("appointments/<id:id>/attach-forms", AppointmentForms.as_view({"post": "attach_forms"})),
    path("appointments/<id:id>/onboard", Onboarding.as_view({"post": "onboard"})),
    path("appointments/<id:id>/patient-candidates", Onboarding.as_view({"get": "candidates"})),
    path("appointments/<id:id>/status", Appointments.as_view(writes("change_status"))),
    path("appointments/<id:id>/reschedule", Appointments.as_view(writes("reschedule"))),
    path("appointments/<id:id>/cancel", Appointments.as_view(writes("cancel"))),
    path("appointments/<id:id>/videocall/join", Videocalls.as_view({"post": "join"})),
    path("appointments/<id:id>/ics", Appointments.as_view({"get": "ics"})),
    path("calendar", Calendar.as_view({"get": "read"})),
    path("appointment-templates", AppointmentTemplates.as_view({"get": "list", "post": "create"})),
    path(
        "appointment-templates/<id:id>",
        AppointmentTemplates.as_view({"get": "retrieve", **writes("update"), "delete": "destroy"}),
    ),
    path("appointment-templates/<id:id>/explain", Explanations.as_view({"get": "explain"})),
    path("appointment-templates/<id:id>/attach-forms", AppointmentTemplates.as_view({"post": "attach_forms"})),
    path(
        "appointment-templates/<id:id>/forms/<id:form_template_id>",
        AppointmentTemplates.as_view({"delete": "detach_form"}),
    ),
    path(
        "appointment-templates/<id:id>/attach-specialists",
        AppointmentTemplates.as_view({"post": "attach_specialists"}),
    ),
    path(
        "appointment-templates/<id:id>/specialists/<id:specialist_id>",
        AppointmentTemplates.as_view({"delete": "detach_specialist"}),
    ),
    path("scheduling/timeslots", Timeslots.as_view({"get": "offer"})),
    path("scheduling/timeslots/stream", Timeslots.as_view({"get": "stream"})),
    path("scheduling/holds", Holds.as_view({"post": "create"})),
    path("scheduling/holds/<uid:hold_id>", Holds.as_view({"patch": "renew", "delete": "destroy"})),
    path("scheduling/holds/<uid:hold_id>/stream", Holds.as_view({"get": "stream"})),
    path("scheduling/book", Bookings.as_view({"post": "book"})),
    path("scheduling/waitlist", WaitingList.as_view({"post": "join"})),
    path("scheduling/waitlist/<uid:uid>", WaitingList.as_view({"delete": "leave"})),
    path("waitlist-entries", WaitlistEntries.as_view({"get": "list"})),
    path("public/appointment-templates", OfferedTemplates.as_view({"get": "list"})),
    path("public/appointments/<uid:uid>", ManagedAppointments.as_view({"get": "show"})),
    path("public/appointments/<uid:uid>/ics", ManagedAppointments.as_view({"get": "ics"})),
    path("public/appointments/<uid:uid>/cancel", ManagedAppointments.as_view(writes("cancel"))),
    path(
        "specialists/<id:id>/calendar-feed", CalendarFeeds.as_view({"get": "show", "post": "issue", "delete": "revoke"})
    ),
    path("calendar-feeds/<name:token>.ics", PublicFeeds.as_view({"get": "read"})),
]
