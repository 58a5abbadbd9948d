"""The words of the papers: each language has all of them."""

import doctest
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from django.conf import settings

from invoicing.services import languages as module
from invoicing.services.languages import SOURCE, languages, words

SERVICES = settings.BASE_DIR / "invoicing" / "services"
TRANSLATED = [code for code in languages() if code != SOURCE]


def names_in(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_examples_are_true() -> None:
    results = doctest.testmod(module)

    assert results.attempted
    assert not results.failed


def test_languages_name_themselves() -> None:
    assert languages() == {
        "en": "English",
        "de": "Deutsch",
        "es": "Espa\u00f1ol",
        "fr": "Fran\u00e7ais",
    }


@pytest.mark.parametrize("language", TRANSLATED)
def test_language_has_every_message_and_no_other(language: str) -> None:
    found = extract_from_dir(
        str(SERVICES), keywords={"say": None}, method_map=[("**.py", "python")]
    )

    assert set(words(language)) == {message for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", TRANSLATED)
def test_translation_fills_in_what_its_message_does(language: str) -> None:
    for message, translation in words(language).items():
        assert names_in(translation) == names_in(message), message
