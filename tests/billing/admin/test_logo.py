"""The logo on the form of a legal entity: uploaded, shown, replaced, removed."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import AuditEvent, LegalEntity, Logo
from billing.services.logos import draw_logo, keep_logo
from tests.billing.services.test_logos import picture_file
from tests.factories import LegalEntityFactory
from tests.staff import client_of

pytestmark = pytest.mark.django_db


def send(entity: LegalEntity, **fields: Any) -> str:
    """Send the form of a legal entity; returns the page that answers."""
    values = {
        "name": entity.name,
        "time_zone": entity.time_zone,
        "address_line1": entity.address_line1,
        "city": entity.city,
        "postal_code": entity.postal_code,
        "country": entity.country,
        "tax_id": entity.tax_id,
        "email": entity.email,
        "iban": entity.iban,
        "bic": entity.bic,
        "payment_instructions": entity.payment_instructions,
    }
    url = reverse("admin:billing_legalentity_change", args=[entity.pk])
    answer = client_of("Finance manager").post(url, values | fields, follow=True)
    entity.refresh_from_db()
    return answer.content.decode()


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.png", content, "image/png")


def with_logo() -> LegalEntity:
    logo = draw_logo(picture_file())
    keep_logo(logo)
    entity: LegalEntity = LegalEntityFactory.create(logo=logo)
    return entity


def test_uploaded_logo_is_kept_and_recorded_by_its_name() -> None:
    """M5: the entry holds the name of the picture, not its bytes."""
    entity: LegalEntity = LegalEntityFactory.create()

    send(entity, logo=upload(picture_file()))

    logo = Logo.objects.get()
    event = AuditEvent.objects.get()
    assert entity.logo == logo
    assert (event.code, event.before, event.after) == (
        "legal_entity.changed",
        {"logo": None},
        {"logo": logo.sha256},
    )


def test_form_shows_the_logo() -> None:
    url = reverse("admin:billing_legalentity_change", args=[with_logo().pk])

    page = client_of("Finance manager").get(url).content.decode()

    assert 'src="data:image/png;base64,iVBOR' in page
    assert 'type="file"' in page


def test_logo_stays_when_none_is_uploaded() -> None:
    entity = with_logo()
    logo = entity.logo

    send(entity)

    assert entity.logo == logo
    assert not AuditEvent.objects.exists()


def test_logo_is_removed_and_stays_for_older_papers() -> None:
    """M3."""
    entity = with_logo()

    send(entity, **{"logo-clear": "on"})

    assert entity.logo is None
    assert Logo.objects.count() == 1
    event = AuditEvent.objects.get()
    assert event.after == {"logo": None}


def test_refused_logo_is_a_sentence_on_the_form_and_nothing_is_kept() -> None:
    entity = with_logo()
    logo = entity.logo

    page = send(entity, logo=upload(b"<script>alert(1)</script>"))

    assert "neither PNG nor JPEG" in page
    assert entity.logo == logo
    assert Logo.objects.count() == 1
