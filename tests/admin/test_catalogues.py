"""The catalogues: complete, current, compiled, and readable by gettext."""

from __future__ import annotations

import gettext
import io

from django.utils.translation import override

from restartix.catalogues import upkeep
from restartix.catalogues.files import Key, compiled, read_po, write_po
from restartix.catalogues.messages import Message, in_python, in_template


def test_the_committed_catalogues_say_everything_and_are_compiled():
    assert upkeep.problems() == [], "run `manage.py catalogues`, translate what it names, and run it again"


class TestExtraction:
    def test_finds_calls_of_every_kind_in_python(self):
        source = (
            '_("a"); ngettext("b", "c", n); pgettext("ctx", "d"); npgettext("ctx", "e", "f", n); _(name); other("g")'
        )

        assert set(in_python(source)) == {
            Message("", "a"),
            Message("", "b", "c"),
            Message("ctx", "d"),
            Message("ctx", "e", "f"),
        }

    def test_finds_tags_of_every_kind_in_templates(self):
        source = (
            '{% load i18n %}{% translate "a" %}{% translate "b" context "ctx" %}{% firstof x _("c") %}'
            "{% blocktranslate count n=n %}one {{ n }}{% plural %}many {{ n }}{% endblocktranslate %}"
            '{% blocktranslate trimmed %}\n  d "quoted"\n  e\n{% endblocktranslate %}'
        )

        assert set(in_template(source)) == {
            Message("", "a"),
            Message("ctx", "b"),
            Message("", "c"),
            Message("", "one %(n)s", "many %(n)s"),
            Message("", 'd "quoted" e'),
        }


class TestFiles:
    def test_come_back_as_they_were_written(self, tmp_path):
        said = {
            Key("", 'a "quoted"\nline', ""): ["linie\n„citată”\\"],
            Key("ctx", "one", "many"): ["unul", "câteva", "multe"],
            Key("", "not yet", ""): [""],
        }

        write_po(tmp_path / "x.po", "ro", said, {})

        assert {key: texts for key, texts in read_po(tmp_path / "x.po").items() if key.text} == said

    def test_are_read_by_gettext_itself(self):
        said = {
            Key("", "b", ""): ["B"],
            Key("ctx", "a", ""): ["A"],
            Key("", "%d day", "%d days"): ["zi", "zile", "de zile"],
        }

        found = gettext.GNUTranslations(io.BytesIO(compiled("ro", said)))

        assert found.gettext("b") == "B"
        assert found.pgettext("ctx", "a") == "A"
        assert [found.ngettext("%d day", "%d days", n) for n in (1, 2, 19, 20, 101)] == [
            "zi", "zile", "zile", "de zile", "zile",
        ]  # fmt: skip


def test_english_says_better_what_the_code_only_names():
    from apps.scheduling.models import Appointment

    with override("en"):
        assert str(dict(Appointment._meta.get_field("status").flatchoices)["noshow"]) == "No-show"
