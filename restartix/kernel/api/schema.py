"""OpenAPI, read from what each operation declares of itself."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema


class OperationSchema(AutoSchema):
    """One operation of the document."""
