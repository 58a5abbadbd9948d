"""The words of papers and mails in each language, from gettext files.

English is the source; `languages/<code>.po` beside the templates adds a language. The
files are read as they are when the first paper needs them: there is no compiled twin to
forget, and no tool that a fresh machine would lack.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from babel import Locale
from babel.messages.pofile import read_po
from django.conf import settings

SOURCE: Final = "en"
FOLDER: Final[Path] = (
    settings.BASE_DIR / "templates" / "invoicing" / "documents" / "languages"
)


def language_of(code: str) -> str:
    """Return the language in which an account of this code is written to.

    >>> language_of("de-AT"), language_of("tlh")
    ('de', 'en')
    """
    base = code.replace("_", "-").split("-")[0].lower()
    return base if base in languages() else SOURCE


@cache
def languages() -> Mapping[str, str]:
    """Return the languages of the papers: code and its name in itself."""
    codes = (SOURCE, *sorted(file.stem for file in FOLDER.glob("*.po")))
    names = {code: Locale(code).get_display_name(code) or code for code in codes}
    return {code: name[0].upper() + name[1:] for code, name in names.items()}


@cache
def words(language: str) -> Mapping[str, str]:
    """Return what each English message is called in a language; none for English."""
    if language == SOURCE:
        return {}
    with (FOLDER / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    return {
        message.id: message.string
        for message in catalog
        if isinstance(message.id, str) and isinstance(message.string, str)
        if message.id and message.string and not message.fuzzy
    }
