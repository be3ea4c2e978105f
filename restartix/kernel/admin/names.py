"""The names that models take from their attributes, in the reader's language.

Models name nothing twice: `started_at` is called "started at" by Django. Here every name of a model, a field and a
choice becomes a lazy translation of itself, so lists, forms, filters and errors speak Romanian without a word in the
models. A catalogue may translate a name for one model only (context `scheduling.appointment`) or for all of them
(context `name`); the English catalogue says better what a column is for. Migrations do not see any of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.functional import Promise, lazystr
from django.utils.translation import override, pgettext

#: The context of names that mean the same in every model.
NAME = "name"
#: The context of the apps' own names.
APP = "app"


class Name:
    """A name that is looked up when it is written."""

    def __init__(self, text: str, context: str) -> None:
        """Look `text` up under `context` first, then under `NAME`."""
        self.text, self.context = text, context

    def __str__(self) -> str:
        special = pgettext(self.context, self.text)
        return special if special != self.text else pgettext(NAME, self.text)


def own_apps() -> list[Any]:
    """Return the project's own apps."""
    return [config for config in apps.get_app_configs() if config.name.startswith("apps.")]


def own_models() -> list[type[models.Model]]:
    """Return the models of the project's own apps."""
    return [model for model in apps.get_models() if model.__module__.startswith("apps.")]


def named_fields(model: type[models.Model]) -> list[Any]:
    """Return the fields that are called as they are written; Django's own base classes translate theirs."""
    fields = model._meta.local_fields + model._meta.local_many_to_many
    return [field for field in fields if not _is_translated(field)]


def _is_translated(field: Any) -> bool:
    name = field.verbose_name
    return isinstance(name, Promise) and not isinstance(getattr(name, "_args", [None])[0], Name)


def translate_models() -> None:
    """Let the names of all own apps and models, of their fields and choices be translated."""
    for config in own_apps():
        config.verbose_name = lazystr(Name(config.verbose_name, APP))
    for model in own_models():
        options: Any = model._meta
        context = options.label_lower
        options.verbose_name = lazystr(Name(options.verbose_name_raw, context))
        options.verbose_name_plural = lazystr(Name(str(options.verbose_name_plural), context))
        for field in named_fields(model):
            field.verbose_name = lazystr(Name(field.verbose_name, context))
            if getattr(field, "choices", None):
                field.choices = [(value, lazystr(Name(str(label), context))) for value, label in field.choices]


def names(shown: Iterable[type[models.Model]]) -> Iterator[tuple[str, str]]:
    """Yield (context, name) of the apps, and of everything that `translate_models` covers in the `shown` models."""
    for config in own_apps():
        yield APP, _raw(config.verbose_name)
    for model in shown:
        yield NAME, _raw(model._meta.verbose_name)
        yield NAME, _raw(model._meta.verbose_name_plural)
        for field in named_fields(model):
            yield NAME, _raw(field.verbose_name)
            for _value, label in getattr(field, "choices", None) or ():
                yield NAME, _raw(label)


def _raw(name: Any) -> str:
    """Return the name as the model has it, in no language."""
    with override(None):
        return str(name)
