"""What each step through a portal asks for and does (F3)."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest

from config.adminsite.actor import actor_of
from invoicing.domain.portal import PortalState
from invoicing.models import PortalSubmission
from invoicing.portal_forms import AcceptForm, DisputeForm, SubmitForm, WithdrawForm
from invoicing.services.portal import (
    StepTaken,
    accept_documents,
    dispute_documents,
    submit_documents,
    withdraw_documents,
)


class Step:
    """What a step is, for one document and for several."""

    form_class: ClassVar[type[forms.Form]] = forms.Form
    to: ClassVar[PortalState]
    sentence: ClassVar[str]

    def take(
        self,
        rows: Sequence[PortalSubmission],
        answers: Mapping[str, Any],
        *,
        request: HttpRequest,
        today: date,
    ) -> StepTaken:
        """Call the service."""
        raise NotImplementedError


class Submit(Step):
    """Uploaded."""

    to = PortalState.SUBMITTED
    permission = "invoicing.submit_portalsubmission"
    form_class: ClassVar[type[forms.Form]] = SubmitForm
    form_heading = "The upload"
    sentence = "Submitted documents wait for the portal's answer."

    def take(
        self,
        rows: Sequence[PortalSubmission],
        answers: Mapping[str, Any],
        *,
        request: HttpRequest,
        today: date,
    ) -> StepTaken:
        """Note the upload."""
        return submit_documents(
            submissions=rows,
            reference=answers["reference"],
            on=answers["on"],
            note=answers["note"],
            file=answers["file"],
            actor=actor_of(request),
            today=today,
        )


class Accept(Step):
    """Accepted: closed, but for the money."""

    to = PortalState.ACCEPTED
    permission = "invoicing.accept_portalsubmission"
    form_class: ClassVar[type[forms.Form]] = AcceptForm
    form_heading = "The answer"
    sentence = (
        "Accepted documents are closed in the worklist; an invoice is shown as paid "
        "once it is paid."
    )

    def take(
        self,
        rows: Sequence[PortalSubmission],
        answers: Mapping[str, Any],
        *,
        request: HttpRequest,
        today: date,
    ) -> StepTaken:
        """Note the answer."""
        return accept_documents(
            submissions=rows,
            reference=answers["reference"],
            on=answers["on"],
            note=answers["note"],
            file=answers["file"],
            actor=actor_of(request),
            today=today,
        )


class Dispute(Step):
    """Rejected: somebody has to settle it."""

    to = PortalState.DISPUTED
    permission = "invoicing.dispute_portalsubmission"
    form_class: ClassVar[type[forms.Form]] = DisputeForm
    form_heading = "Why"
    sentence = (
        "Disputed documents stand on Today until they are submitted again, accepted or "
        "paid. No invoice is changed by it."
    )

    def take(
        self,
        rows: Sequence[PortalSubmission],
        answers: Mapping[str, Any],
        *,
        request: HttpRequest,
        today: date,
    ) -> StepTaken:
        """Note the dispute."""
        return dispute_documents(
            submissions=rows,
            reason=answers["note"],
            on=answers["on"],
            file=answers["file"],
            actor=actor_of(request),
            today=today,
        )


class Withdraw(Step):
    """Not uploaded (any more)."""

    to = PortalState.WITHDRAWN
    permission = "invoicing.withdraw_portalsubmission"
    form_class: ClassVar[type[forms.Form]] = WithdrawForm
    form_heading = "Why"
    sentence = (
        "Withdrawn documents leave the worklist for good. The papers are not changed."
    )

    def take(
        self,
        rows: Sequence[PortalSubmission],
        answers: Mapping[str, Any],
        *,
        request: HttpRequest,
        today: date,
    ) -> StepTaken:
        """Take them out."""
        return withdraw_documents(
            submissions=rows,
            reason=answers["note"],
            on=answers["on"],
            actor=actor_of(request),
            today=today,
        )
