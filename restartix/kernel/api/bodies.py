"""The body of one request: read once, within its limit, parsed by its type; problems wait until their turn comes."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.core.files.uploadhandler import MemoryFileUploadHandler, TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from restartix.kernel.api.envelope import JSON
from restartix.kernel.api.idempotency import digest_of_parts
from restartix.kernel.api.operations import MULTIPART, Operation
from restartix.kernel.api.parsing import check_media_type, parse_json, read_bytes, text_problem, too_large
from restartix.kernel.api.queries import Problems
from restartix.kernel.errors import MalformedRequest, PayloadTooLarge, Refusal

MAX_PARTS = 100
#: What boundaries and part headers may add to an uploaded file.
ENVELOPE_BYTES = 16 * 1024


class SentBody:
    """What came with a request: its value, or the refusal of it; and what stands for it in a fingerprint."""

    def __init__(self, request: HttpRequest, operation: Operation) -> None:
        """Read the body now; a refusal waits until `value` is asked for, because other checks come first."""
        self.content: Any = b""
        #: The bytes as they came, for who checks a signature over them; empty where they were refused.
        self.raw = b""
        self.is_complete = False
        self._value: Any = None
        self._refusal: Refusal | None = None
        try:
            self._value = self._read(request, operation)
        except Refusal as refusal:
            self._refusal = refusal

    def value(self) -> Any:
        """Return the parsed body. Raises what was wrong with it: 400, 413, 415 or 422."""
        if self._refusal is not None:
            raise self._refusal
        return self._value

    def peek(self) -> dict[str, Any]:
        """Return the parsed body if it is an object, else nothing: for those who only look for one field."""
        return self._value if isinstance(self._value, dict) else {}

    def _read(self, request: HttpRequest, operation: Operation) -> Any:
        if request.method in {"GET", "HEAD", "OPTIONS"}:
            self.is_complete = True
            return {}
        raw = self.raw = self._bytes(request, operation)
        if not raw and (JSON in operation.consumes or not operation.body):
            self.is_complete = True
            return self._nothing(request, operation)
        media_type = check_media_type(request, *operation.consumes)
        self.content, self.is_complete = raw, True
        if media_type == MULTIPART:
            return self._multipart(request, raw, max_bytes=operation.max_bytes)
        if media_type != JSON:
            return raw
        self.content = document = parse_json(raw)
        if not isinstance(document, dict):
            raise MalformedRequest("The body must be a JSON object.")
        return document

    @staticmethod
    def _bytes(request: HttpRequest, operation: Operation) -> bytes:
        """Read the body; `max_bytes` of an upload is that of its file, what wraps the file comes on top."""
        if MULTIPART not in operation.consumes:
            return read_bytes(request, limit=operation.max_bytes)
        try:
            return read_bytes(request, limit=operation.max_bytes + ENVELOPE_BYTES)
        except PayloadTooLarge as error:
            raise too_large(operation.max_bytes) from error

    def _nothing(self, request: HttpRequest, operation: Operation) -> Any:
        """Take an absent body for `{}`, but not where the caller announced JSON and the operation needs some."""
        needed = operation.body is not None and any(field.required for field in operation.body().fields.values())
        if needed and request.content_type:
            raise MalformedRequest("A JSON object is required.")
        return {}

    def _multipart(self, request: HttpRequest, raw: bytes, *, max_bytes: int) -> dict[str, Any]:
        closing = raw.rstrip().endswith(b"--")
        meta = {"CONTENT_TYPE": request.META["CONTENT_TYPE"], "CONTENT_LENGTH": len(raw)}
        handlers: list[Any] = [MemoryFileUploadHandler(request), TemporaryFileUploadHandler(request)]
        try:
            texts, files = MultiPartParser(meta, BytesIO(raw), handlers, "utf-8").parse()
        except MultiPartParserError as error:
            raise MalformedRequest(f"The multipart body cannot be read: {error}.") from error
        if not closing:
            raise MalformedRequest("The multipart body ends before its last boundary.")
        if any(file.size > max_bytes for name in files for file in files.getlist(name)):
            raise too_large(max_bytes)
        return self._parts(texts, files)

    def _parts(self, texts: Any, files: Any) -> dict[str, Any]:
        problems = Problems()
        names = [*texts, *files]
        for name in names:
            values = [*texts.getlist(name), *files.getlist(name)]
            if len(values) > 1:
                problems.add(name, "stands twice")
            for problem in filter(None, (text_problem(name), *(text_problem(value) for value in texts.getlist(name)))):
                problems.add(name, problem)
        problems.check()
        single = {name: files[name] for name in files}
        self.content = digest_of_parts(texts.dict(), single)
        return {**texts.dict(), **single}
