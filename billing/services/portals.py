"""The portal that bill groups get where nobody chooses one."""

from billing.models import DEFAULT_PROFILE, PortalProfile
from billing.services.audit import record


def default_portal() -> PortalProfile:
    """Return the portal named "Portal"; it is made where there is none (F3)."""
    there = PortalProfile.objects.filter(name__iexact=DEFAULT_PROFILE).first()
    if there is not None:
        return there
    made = PortalProfile.objects.create(name=DEFAULT_PROFILE)
    record("portal_profile.added", actor=None, subject=made.name)
    return made
