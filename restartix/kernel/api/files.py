"""Stored files behind a signed address of ours, where files are kept on this machine. Source: contract/forms.md 0.2, 3.

With an S3-compatible store the store's own signed addresses are given out, and this one opens nothing.
"""

from __future__ import annotations

import posixpath

from django.http import HttpResponse
from django.urls import path

from restartix.kernel import media, storage
from restartix.kernel.api.operations import operation
from restartix.kernel.api.resources import Resource
from restartix.kernel.errors import Forbidden
from restartix.kernel.roles import PUBLIC

#: Whatever a stored file holds, no browser runs it.
SANDBOX = "sandbox; default-src 'none'"
_INLINE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf"})


class StoredFiles(Resource):
    """Files: what was uploaded, for who holds a signed address."""

    may = {"fetch": PUBLIC}

    @operation(produces=("application/octet-stream", *sorted(_INLINE), "application/json"), row=False, etag=False)
    def fetch(self, token: str) -> HttpResponse:
        """Return the bytes that the address was signed for; it opens them for 15 minutes."""
        key = storage.key_behind(token)
        data = storage.content(key) if key else None
        if key is None or data is None:
            raise Forbidden("The address is not valid any more: ask for a new one.")
        kind = media.sniff(data)
        shown = "inline" if kind in _INLINE or kind.startswith("video/") else "attachment"
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'{shown}; filename="{posixpath.basename(key)}"',
            "Content-Security-Policy": SANDBOX,
        }
        return HttpResponse(data, content_type=kind, headers=headers)


urlpatterns = [path("files/<str:token>", StoredFiles.as_view({"get": "fetch"}))]
