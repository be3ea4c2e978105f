"""The list of a model's page: its columns, how it is narrowed, and the views that people keep of it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import SuspiciousOperation
from django.db import DataError, transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from restartix.kernel.admin import saved_views
from restartix.kernel.admin.entry import entry_of
from restartix.kernel.admin.lists import DaysFilter
from restartix.kernel.admin.narrowing import VIEW, NarrowedList, applied
from restartix.kernel.tenancy import TenantModel


class ListPages(admin.ModelAdmin):
    """A list that is narrowed by one form and knows its own parameters only."""

    #: What the list says when there is nothing yet.
    empty_text: Any = ""
    #: One sentence under the title of the list.
    intro: Any = ""

    list_per_page = 25
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    change_list_template = "admin/change_list.html"

    @property
    def is_tenant(self) -> bool:
        """Whether the rows belong to clinics."""
        return issubclass(self.model, TenantModel)

    def shows_every_clinic(self, request: HttpRequest) -> bool:
        """Tell whether rows of all clinics are shown at once."""
        return self.is_tenant and entry_of(request).workplace is None

    def url_of(self, page: str, *args: Any) -> str:
        """Return the address of one of this model's pages."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=args)

    def get_urls(self) -> list[URLPattern]:
        """Add the page of each saved view."""
        name = f"{self.opts.app_label}_{self.opts.model_name}_view"
        view = self.admin_site.admin_view(saved_views.SavedViewPage(self))
        return [path("views/<int:number>/", view, name=name), *super().get_urls()]

    # -- columns -------------------------------------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> Any:
        """Say whose row it is where every clinic is shown."""
        columns = list(super().get_list_display(request))
        return ["organization", *columns] if self.shows_every_clinic(request) else columns

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Link the first column of the row itself."""
        return [column for column in list_display if column != "organization"][:1]

    def get_list_select_related(self, request: HttpRequest) -> Any:
        """Read the clinics with the rows where they are shown."""
        related = list(self.list_select_related) if isinstance(self.list_select_related, list | tuple) else []
        return [*related, "organization"] if self.shows_every_clinic(request) else related

    # -- what narrows it -----------------------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        """Return the list that knows what narrows it."""
        return NarrowedList

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Narrow moments by days: Django's own choice of dates would stand still in a saved view."""
        return [
            (each[0], DaysFilter) if isinstance(each, tuple) and each[1] is admin.DateFieldListFilter else each
            for each in super().get_list_filter(request)
        ]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Leave it to the list, which takes the parameters of its own filters and refuses all others."""
        return True

    # -- the page ------------------------------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show the list; an address that is not understood leads to the list without it, and says so."""
        if (address := applied(request)) is not None:
            return HttpResponseRedirect(request.path + address)
        try:
            with transaction.atomic():
                return self._listed(request, extra_context or {})
        except (SuspiciousOperation, DataError):
            if set(request.GET) <= {VIEW}:  # it is not the address, then
                raise
            return self._not_understood(request)

    def _not_understood(self, request: HttpRequest) -> HttpResponseRedirect:
        messages.warning(
            request, _("The address asked for something that this list does not know. It is shown without it.")
        )
        return HttpResponseRedirect(f"{request.path}?{VIEW}=all")

    def _listed(self, request: HttpRequest, extra: dict[str, Any]) -> Any:
        if not self.has_view_or_change_permission(request):
            return super().changelist_view(request, extra)  # refuses, and the refusal is on record
        if request.method == "POST" and saved_views.KEEP in request.POST:
            return saved_views.keep(self, request)
        views = saved_views.views_of(request, self)
        opened = saved_views.opening(self, request, views)
        if opened is not None:
            return opened
        title = str(self.opts.verbose_name_plural)
        said = {"title": title[:1].upper() + title[1:], "intro": self.intro, "empty_text": self.empty_text}
        answer = super().changelist_view(request, said | extra)
        if isinstance(answer, TemplateResponse) and answer.context_data is not None:
            cl = answer.context_data["cl"]
            answer.context_data |= {
                "controls": cl.controls(),
                "chips": cl.chips(),
                "carried": cl.hidden(),
                "saved": saved_views.tabs_of(request, cl, views),
                "view_url": f"admin:{self.opts.app_label}_{self.opts.model_name}_view",
            }
        return answer

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Return the list. Raises SuspiciousOperation for parameters that are not its own."""
        try:
            return super().get_changelist_instance(request)
        except IncorrectLookupParameters as error:
            raise SuspiciousOperation(ERROR_FLAG) from error
