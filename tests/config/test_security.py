"""Every response forbids scripts, styles and frames from anywhere else."""

import pytest
from django.test import Client, RequestFactory

from config.security import POLICY, ContentSecurityPolicyMiddleware


@pytest.mark.parametrize("path", ["/", "/no-such-page"])
def test_response_carries_the_strict_policy(client: Client, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]

    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert directives == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }


def test_policy_overrides_what_a_view_says(rf: RequestFactory) -> None:
    from django.http import HttpRequest, HttpResponse

    def view(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "default-src *"})

    response = ContentSecurityPolicyMiddleware(view)(rf.get("/"))

    assert response.headers["Content-Security-Policy"] == POLICY
