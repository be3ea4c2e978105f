"""The addresses of the booking page, below `/book/`."""

from __future__ import annotations

from django.urls import path, re_path

from apps.scheduling.pages import assets, booking, choosing, managing, video, waiting

app_name = "booking"

urlpatterns = [
    re_path(r"^theme/(?P<colour>[0-9A-Fa-f]{6})\.css$", assets.theme, name="theme"),
    path("<slug:slug>/", choosing.services, name="services"),
    path("<slug:slug>/embed.js", assets.embed, name="embed"),
    path("<slug:slug>/appointment/<uuid:uid>/", managing.manage, name="manage"),
    path("<slug:slug>/appointment/<uuid:uid>/cancel/", managing.cancel, name="cancel"),
    path("<slug:slug>/appointment/<uuid:uid>/calendar.ics", managing.calendar_file, name="calendar"),
    path("<slug:slug>/video/<uuid:uid>/", video.room, name="video"),
    path("<slug:slug>/waiting/<uuid:uid>/", waiting.entry, name="waiting"),
    path("<slug:slug>/<slug:service>/", choosing.specialists, name="specialists"),
    path("<slug:slug>/<slug:service>/times/", choosing.times, name="times"),
    path("<slug:slug>/<slug:service>/wait/", waiting.wait, name="wait"),
    path("<slug:slug>/<slug:service>/hold/", booking.hold, name="hold"),
    path("<slug:slug>/<slug:service>/details/", booking.details, name="details"),
    path("<slug:slug>/<slug:service>/release/", booking.release, name="release"),
]
