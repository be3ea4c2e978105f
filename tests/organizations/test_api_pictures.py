"""Logos, icons, avatars and signatures over the API: uploaded, shown, replaced, removed."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from io import BytesIO

import pytest
import time_machine
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from apps.organizations.models import Picture
from tests.client import Answer, forget_settings

pytestmark = pytest.mark.django_db


def picture(kind="PNG", size=(40, 40), **options) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "#0A7B83").save(out, kind, **options)
    return out.getvalue()


def send(api, path, data, name="x.png", field="file"):
    headers = {**api.headers, "Authorization": f"Bearer {api.token}"}
    forget_settings()
    answer = Client(raise_request_exception=False).post(path, {field: SimpleUploadedFile(name, data)}, headers=headers)
    forget_settings()
    return Answer(answer.status_code, dict(answer.headers), answer.content)


def fetch(address):
    forget_settings()
    answer = Client().get("/v1/" + address.split("/v1/")[1])
    forget_settings()
    return answer


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run what waits for the commit at the end of the block."""
    return partial(django_capture_on_commit_callbacks, execute=True)


@pytest.fixture
def logo(cast):
    return f"/v1/organizations/{cast.sud.pk}/logo"


class TestALogo:
    def test_is_public_at_a_new_address_with_each_upload(self, cast, api, logo):
        ion = api(cast.ion)
        first = send(ion, logo, picture()).data["logo_url"]
        answer = fetch(first)
        second = send(ion, logo, picture("WEBP"), name="evil.html").data["logo_url"]

        assert answer.status_code == 200
        assert answer["Content-Type"] == "image/png"
        assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert Image.open(BytesIO(answer.content)).size == (40, 40)
        assert first != second
        assert fetch(first).status_code == 404
        assert fetch(second)["Content-Type"] == "image/webp"
        assert api(None).get(f"/v1/public/organizations/resolve?slug={cast.sud.slug}").data["logo_url"] == second

    def test_leaves_no_object_behind_when_replaced_or_removed(self, cast, api, logo, committed):
        ion = api(cast.ion)
        send(ion, logo, picture())
        old = Picture.everywhere.get()
        with committed():
            send(ion, logo, picture())
        new = Picture.everywhere.get()

        assert not default_storage.exists(old.storage_key)
        assert default_storage.exists(new.storage_key)
        assert new.storage_key.startswith(f"{cast.sud.pk}/logos/{cast.sud.pk}/")
        with committed():
            assert ion.delete(logo).status == 204
        assert not default_storage.exists(new.storage_key)
        assert ion.delete(logo).status == 404
        assert ion.get(f"/v1/organizations/{cast.sud.pk}").data["logo_url"] is None

    def test_is_written_anew_without_what_hid_in_it(self, cast, api, logo):
        exif = Image.Exif()
        exif[0x010E] = "ZZCANARY"
        data = picture("JPEG", exif=exif) + b"<script>ZZCANARY</script>"

        stored = fetch(send(api(cast.ion), logo, data).data["logo_url"])

        assert b"ZZCANARY" in data
        assert b"ZZCANARY" not in stored.content
        assert not Image.open(BytesIO(stored.content)).getexif()

    @pytest.mark.parametrize(
        ("data", "status", "detected"),
        [
            (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "application/octet-stream"),
            (b"<html>", 415, "application/octet-stream"),
            (picture("GIF"), 415, "image/gif"),
            (b"%PDF-1.7", 415, "application/pdf"),
            (picture()[:60], 422, None),
            (b"\x89PNG\r\n\x1a\n<script>", 422, None),
            (b"", 422, None),
            (picture(size=(4097, 1)), 422, None),
        ],
    )
    def test_is_judged_by_its_bytes(self, cast, api, logo, data, status, detected):
        answer = send(api(cast.ion), logo, data)

        assert answer.status == status
        assert answer.details.get("detected") == detected
        assert Picture.everywhere.count() == 0

    def test_may_have_two_mebibytes_and_not_a_byte_more(self, cast, api, logo):
        fits = picture()
        fits += b"\0" * (2 * 1024 * 1024 - len(fits))
        ion = api(cast.ion)

        assert send(ion, logo, fits).status == 200
        for more in (1, 100_000):
            refused = send(ion, logo, fits + b"\0" * more)
            assert refused.status == 413
            assert refused.details == {"max_bytes": 2 * 1024 * 1024}

    def test_is_the_admins_alone(self, cast, api, logo):
        assert send(api(cast.mara), logo, picture()).status == 403
        assert send(api(cast.ana), logo, picture()).status == 403
        assert send(api(cast.nora), logo, picture()).status == 404

    def test_comes_as_one_part_called_file(self, cast, api, logo):
        ion = api(cast.ion)

        assert send(ion, logo, picture(), field="picture").fields == {
            "file": ["required"],
            "picture": ["unknown field"],
        }
        assert ion.post(logo, {"file": "x"}).status == 415


def test_an_icon_is_square(cast, api):
    path = f"/v1/organizations/{cast.sud.pk}/icon"

    assert "square" in send(api(cast.ion), path, picture(size=(40, 41))).fields["file"][0]
    assert send(api(cast.ion), path, picture()).data["icon_url"]


class TestASpecialistsPictures:
    def test_an_avatar_is_public_and_the_specialists_own_to_change(self, cast, api):
        path = f"/v1/specialists/{cast.sara.specialist.pk}/avatar"
        shown = send(api(cast.sara), path, picture()).data

        assert fetch(shown["avatar_url"]).status_code == 200
        assert send(api(cast.mara), path, picture()).status == 403
        assert api(cast.ana).get(f"/v1/specialists/{cast.sara.specialist.pk}").data["avatar_url"] == shown["avatar_url"]
        assert api(cast.ion).delete(path).status == 204
        assert fetch(shown["avatar_url"]).status_code == 404

    def test_a_signature_opens_by_a_signed_address_for_a_quarter_of_an_hour(self, cast, api, committed):
        path = f"/v1/specialists/{cast.sara.specialist.pk}/signature"
        shown = send(api(cast.sara), path, picture()).data
        address = shown["signature_url"]

        assert shown["has_signature"] is True
        assert fetch(address)["Content-Security-Policy"] == "sandbox; default-src 'none'"
        assert fetch(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 403
        with time_machine.travel(timedelta(minutes=14)):
            assert fetch(address).status_code == 200
        with time_machine.travel(timedelta(minutes=15, seconds=1)):
            assert fetch(address).status_code == 403
        assert send(api(cast.sara), path, picture("JPEG")).status == 415
        assert send(api(cast.sara), path, picture() + b"\0" * 600_000).status == 413
        with committed():
            assert api(cast.ion).delete(path).status == 204
        assert api(cast.ion).delete(path).status == 404
        assert fetch(address).status_code == 403

    def test_only_admins_and_the_specialist_get_the_signatures_address(self, cast, api):
        path = f"/v1/specialists/{cast.sara.specialist.pk}"
        send(api(cast.sara), f"{path}/signature", picture())

        assert api(cast.ion).get(path).data["signature_url"]
        assert "signature_url" not in api(cast.mara).get(path).data
        assert "signature_url" not in api(cast.ana).get(path).data
