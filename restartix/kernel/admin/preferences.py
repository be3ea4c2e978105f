"""What a person chooses in the header: the clinic to work in, the language to read."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from restartix.kernel.admin.entry import CHOICE, EVERY_CLINIC, entry_of

YEAR = 365 * 24 * 3600


@require_POST
def choose_workplace(request: HttpRequest) -> HttpResponse:
    """Remember the clinic in the session, if the person works there; a superadmin may also choose all of them."""
    chosen = request.POST.get("workplace", "")
    known = {str(place.id): place.id for place in entry_of(request).workplaces}
    if chosen == EVERY_CLINIC:
        request.session.pop(CHOICE, None)
    elif chosen in known:
        request.session[CHOICE] = known[chosen]
    return HttpResponseRedirect(reverse("admin:index"))


@csrf_protect
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and go back to the page."""
    answer = HttpResponseRedirect(next_page(request))
    language = request.POST.get("language", "")
    if check_for_language(language) and language in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            language,
            max_age=YEAR,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
    return answer


def next_page(request: HttpRequest, otherwise: str = "admin:index") -> str:
    """Return the page that the form names as `next`, if it is one of this server's, else `otherwise`."""
    target = request.POST.get("next", "") or request.GET.get("next", "")
    if target and url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure()):
        return target
    return reverse(otherwise)
