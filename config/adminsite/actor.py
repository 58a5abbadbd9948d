"""Who acts: the user of a request, as services take it."""

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest


def actor_of(request: HttpRequest) -> AbstractBaseUser:
    """Return the user who is logged in; nobody else gets as far as an action."""
    if not isinstance(request.user, AbstractBaseUser):
        raise PermissionDenied
    return request.user
