"""Where processes that are not forked find this project and the test's database."""

from pathlib import Path
from urllib.parse import quote

from django.db import connection

ROOT = Path(__file__).parents[2]
PATIENCE = 120


def database_url() -> str:
    """Return the address of the database that the test uses."""
    settings = connection.settings_dict
    user, password = quote(settings["USER"]), quote(settings["PASSWORD"])
    host, port = quote(settings["HOST"], safe=""), settings["PORT"]
    place = f"{user}:{password}@{host}" + (f":{port}" if port else "")
    return f"postgresql://{place}/{settings['NAME']}"
