"""The site of the back office: every page inside one clinic, one transaction, and one person's present role."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from restartix.kernel.admin import denials, entry, palette, preferences
from restartix.kernel.admin.navigation import Page, Section, sections
from restartix.kernel.admin.signing_in import SignIn
from restartix.kernel.outside import Outside

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Banner:
    """What every page shows above its title, until it is over: a template and what it is told."""

    template: str
    told: Mapping[str, Any]


class BackOffice(AdminSite):
    """The back office of a clinic.

    Apps register models with `ServiceAdmin` and pages of their own with `add_page`; the page that is registered as
    `front` is the index.
    """

    site_header = site_title = "RestartiX"
    index_title = gettext_lazy("Today")
    login_form = SignIn
    login_template = "admin/login.html"
    enable_nav_sidebar = False
    final_catch_all_view = True

    def __init__(self, name: str = "admin") -> None:
        """Begin without pages."""
        super().__init__(name)
        self.pages: list[Page] = []
        self.banners: list[Callable[[HttpRequest], Banner | None]] = []
        self.front: View | None = None
        self.finders: list[palette.Finder] = []
        self.disable_action("delete_selected")

    # -- pages ---------------------------------------------------------------------------------------------------------

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take pages that write through services; others (those of Django's own apps) are left out.

        A plain ModelAdmin would save rows by itself, past services and refusals.
        """
        if admin_class is not None and hasattr(admin_class, "creates"):
            super().register(model_or_iterable, admin_class, **options)

    def add_page(self, page: Page) -> None:
        """Show `page` in the navigation and answer its path."""
        self.pages.append(page)

    def add_banner(self, banner: Callable[[HttpRequest], Banner | None]) -> None:
        """Ask `banner(request)` on every page what to show above the title; None for nothing."""
        self.banners.append(banner)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Return the paths of the site: pages, choices, then Django's own."""
        own: list[URLPattern | URLResolver] = [
            path("workplace/", self.admin_view(preferences.choose_workplace), name="workplace"),
            path("language/", preferences.choose_language, name="language"),
            path("find/", self.admin_view(self.find), name="find"),
        ]
        own += [path(page.path, self.admin_view(page.guarded()), name=page.name) for page in self.pages]
        return own + list(super().get_urls())

    def each_context(self, request: Any) -> dict[str, Any]:
        """Return what every page shows: the clinic, the person, the navigation."""
        context = super().each_context(request)
        if entry.has_entered(request):
            context |= {"entry": entry.entry_of(request), "sections": self.sections(request)}
            context["banners"] = [shown for banner in self.banners if (shown := banner(request)) is not None]
        return context

    def sections(self, request: HttpRequest) -> list[Section]:
        """Return the navigation: the apps in working order, each with what this person may open."""
        return sections(self, request)

    def find(self, request: HttpRequest) -> HttpResponse:
        """Answer the palette: rows and pages that match `q`."""
        return palette.answer(request, self.finders, self.sections(request))

    def get_app_list(self, request: Any, app_label: str | None = None) -> list[Any]:
        """Return nothing: the navigation is `sections`, and the login page must not ask any page for permission."""
        return []

    def get_log_entries(self, request: Any) -> Any:
        """Return nothing: the audit trigger keeps the record, and Django's log is off."""
        return []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Answer with the front page."""
        if self.front is None or entry.entry_of(request).workplace is None:
            return TemplateResponse(request, "admin/index.html", {**self.each_context(request), "title": _("Clinics")})
        return self.front(request)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """List one app's pages."""
        section = next((section for section in self.sections(request) if section.app_label == app_label), None)
        if section is None:
            raise Http404
        context = {**self.each_context(request), "title": section.label, "section": section}
        return TemplateResponse(request, "admin/app_index.html", context)

    # -- the way in ----------------------------------------------------------------------------------------------------

    def has_permission(self, request: Any) -> bool:
        """Tell whether the request is in."""
        return entry.has_entered(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """Let only those in who work in a clinic now, and run the view there.

        One transaction holds the look-up of the person's role, the whole view and the rendering of its answer, so
        that lazily read rows cannot be read elsewhere; an exception rolls everything back. A view that waits for the
        network gives an `Outside`, which is done after the commit and answered in a transaction of its own; that answer
        may be an `Outside` again, where what was done is taken back before the page is shown.
        """

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            answer = self._inside(request, view, *args, **kwargs)
            while isinstance(answer, Outside):
                answer = self._after(request, answer)
            return answer

        inner = csrf_protect(inner)
        return update_wrapper(inner if cacheable else never_cache(inner), view)

    def _after(self, request: HttpRequest, outside: Outside[Any]) -> Any:
        """Do what waits for the network, in no transaction, and answer it in a second one."""
        result = outside.work()
        with outside.undone_on_failure(result):
            return self._inside(request, lambda request: outside.answer(result))

    def _inside(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> Any:
        """Answer as the person who asks, where they are; an `Outside` is handed on, for after the commit."""
        with transaction.atomic():
            found = entry.find(request)
            if found is None:
                return self._refused_entry(request)
            with entry.entered(request, found):
                return self._answer(request, view, *args, **kwargs)

    def _answer(self, request: HttpRequest, view: View, *args: Any, **kwargs: Any) -> Any:
        try:
            with transaction.atomic():
                answer = view(request, *args, **kwargs)
                return answer.render() if isinstance(answer, TemplateResponse) else answer
        except Http404:
            return self._plain(request, "admin/404.html", _("Page not found"), 404)
        except PermissionDenied:
            denials.record(request)
            return self._plain(request, "admin/403.html", _("Not for your role"), 403)

    def _plain(self, request: HttpRequest, template: str, title: str, status: int) -> HttpResponse:
        context = {**self.each_context(request), "title": title}
        return TemplateResponse(request, template, context, status=status).render()

    def _refused_entry(self, request: HttpRequest) -> HttpResponseRedirect:
        if request.path == reverse("admin:logout", current_app=self.name):
            return HttpResponseRedirect(reverse("admin:login", current_app=self.name))
        return redirect_to_login(request.get_full_path(), reverse("admin:login", current_app=self.name))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the form, or go on to the front page with whoever is signed in and works somewhere."""
        with transaction.atomic():
            found = entry.find(request)
        if request.method == "GET" and found is not None:
            return HttpResponseRedirect(reverse("admin:index", current_app=self.name))
        stranded = request.user.is_authenticated and found is None
        return super().login(request, {"stranded": stranded, "title": _("Sign in"), **(extra_context or {})})

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Sign out and show the form again."""
        from django.contrib.auth.views import LogoutView

        return LogoutView.as_view(next_page=reverse("admin:login", current_app=self.name))(request)
