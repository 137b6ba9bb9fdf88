"""Headers that every answer carries."""

from __future__ import annotations

from flask import Flask, Response, request

from sitematch.config import Settings

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(self), microphone=()"),
)


_HSTS = "max-age=31536000"
"""Sent over TLS, and behind a trusted proxy that says that there was TLS."""


def content_security_policy(settings: Settings, *, frame_ancestors: str = "'none'") -> str:
    """Write the policy: our own scripts, style sheets, pictures and forms, nothing inline, nothing from elsewhere.

    Parameters
    ----------
    settings
        A tile server that is set may send pictures, and nothing else.
    frame_ancestors
        Who may show the page in a frame.
    """
    pictures = " ".join(filter(None, ("'self'", settings.tiles_origin)))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {frame_ancestors}"
    )


def register(app: Flask, settings: Settings) -> None:
    """Add the headers.

    Parameters
    ----------
    app
        The app.
    settings
        Whose tiles a map may show.
    """
    policy = content_security_policy(settings)

    @app.after_request
    def finish(response: Response) -> Response:
        for name, value in (("Content-Security-Policy", policy), *_HEADERS):
            response.headers.setdefault(name, value)  # a page that may be framed has said so itself
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", _HSTS)
        return response
