"""What a person does on a page of the admin: looks at a review and confirms it."""

from typing import Any

from django.test import Client


def confirm(client: Client, url: str, **answers: Any) -> Any:
    """Answer the form, read its review, confirm that; follow to the result."""
    review = client.post(url, answers).context["review"]
    assert not review.refusal, review.refusal
    fields = {**answers, "_confirm": "1", "_reviewed": review.fingerprint}
    return client.post(url, fields, follow=True)


def refusal(client: Client, url: str, **answers: Any) -> str:
    """Return why a page does not offer what it is for; by GET and by POST alike."""
    shown = client.get(url)
    posted = client.post(url, {**answers, "_confirm": "1", "_reviewed": ""})
    said = {page.context["review"].refusal for page in (shown, posted)}
    assert len(said) == 1, said
    return str(said.pop())
