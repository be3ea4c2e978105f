"""What bytes are, whatever their name says, and pictures decoded and written anew.

Source: contract/forms.md 0.2; contract/organizations.md 3 rows 6-10; contract/profiles.md 3 rows 10-13.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from restartix.kernel.errors import Invalid, PayloadTooLarge, UnsupportedMediaType

#: What nothing below recognises; no operation accepts it.
UNKNOWN = "application/octet-stream"
#: Pixels a side that a picture may have.
LARGEST_SIDE = 4096
#: Pillow's name, and the ending of a stored file, of each picture that is written anew.
_WRITTEN = {"image/png": ("PNG", "png"), "image/jpeg": ("JPEG", "jpg"), "image/webp": ("WEBP", "webp")}

# Offset, bytes at that offset, what they announce. SVG, HTML and XML stay unknown on purpose.
_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (128, b"DICM", "application/dicom"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
)
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")


def sniff(data: bytes) -> str:
    """Return the media type that the first bytes show, or UNKNOWN."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _of_brand(data[8:12])
    return next((kind for offset, magic, kind in _MAGIC if data[offset : offset + len(magic)] == magic), UNKNOWN)


def _of_brand(brand: bytes) -> str:
    """Tell the members of the ISO base media family apart by their major brand."""
    if brand in _HEIC_BRANDS:
        return "image/heic"
    return "video/quicktime" if brand == b"qt  " else "video/mp4"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was decoded and written anew: nothing but its pixels is left of what was sent."""

    data: bytes
    media_type: str

    @property
    def extension(self) -> str:
        """Return the ending of a file that holds it."""
        return _WRITTEN[self.media_type][1]


def picture(data: bytes, *, accepted: Collection[str], max_bytes: int, is_square: bool = False) -> Picture:
    """Return the picture in `data` without its metadata, upright, in the type that it came in.

    Raises Invalid (422, field `file`) if it is empty, cannot be decoded, is over 4096 pixels a side, or is not square
    where `is_square` asks for it; PayloadTooLarge (413) over `max_bytes`; UnsupportedMediaType (415) if the bytes are
    of a type that is not in `accepted`.
    """
    if not data:
        raise Invalid({"file": ["an empty file is not accepted"]})
    if len(data) > max_bytes:
        raise PayloadTooLarge(details={"max_bytes": max_bytes})
    kind = sniff(data)
    if kind not in accepted:
        raise UnsupportedMediaType(
            "The file is not of a type that is accepted here.", details={"detected": kind, "allowed": sorted(accepted)}
        )
    return Picture(_rewritten(data, kind, is_square=is_square), kind)


def _rewritten(data: bytes, kind: str, *, is_square: bool) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            # only the decoder that the bytes announce: a polyglot gets no second chance
            with Image.open(BytesIO(data), formats=[_WRITTEN[kind][0]]) as image:
                _check_sides(image.size, is_square=is_square)
                return _written(ImageOps.exif_transpose(image), kind)
    except Invalid:
        raise
    except Exception as error:  # Pillow raises whatever its decoders meet
        raise Invalid({"file": ["the picture cannot be read"]}) from error


def _check_sides(size: tuple[int, int], *, is_square: bool) -> None:
    if max(size) > LARGEST_SIDE:
        raise Invalid({"file": [f"at most {LARGEST_SIDE} pixels a side are accepted, this has {size[0]} x {size[1]}"]})
    if is_square and size[0] != size[1]:
        raise Invalid({"file": [f"a square picture is expected, this has {size[0]} x {size[1]} pixels"]})


def _written(image: Image.Image, kind: str) -> bytes:
    plain = image.convert("RGBA" if "transparency" in image.info or image.mode in {"RGBA", "LA", "PA"} else "RGB")
    if kind == "image/jpeg":
        plain = plain.convert("RGB")
    plain.info.clear()  # colour profiles and comments would be written again
    out = BytesIO()
    plain.save(out, format=_WRITTEN[kind][0], quality=90, optimize=kind == "image/png")
    return out.getvalue()
