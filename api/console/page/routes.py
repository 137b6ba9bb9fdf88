"""The console's blueprint: every page declares its permission, and a page without one is refused to everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sitematch.domain.accounts.access import Permission

NAME = "console"
"""The blueprint's name, which is the prefix of its endpoints."""


SIGN_IN_AGAIN = "Sign in again: this needs a sign-in of the last half hour."


class PageAccess(Enum):
    """Access to pages without a permission."""

    PUBLIC = auto()
    """Everybody may see it, e.g. the sign-in page."""
    SIGNED_IN = auto()
    """Everybody who is signed in, with any role."""


@dataclass(frozen=True, slots=True)
class PageRule:
    """One page or form of the console.

    Parameters
    ----------
    needs
        The permission that the person must have somewhere; the services check where.
    body_bytes
        The maximum length of its body.
    is_sensitive
        Whether the person must have signed in within the last half hour.
    """

    needs: PageAccess | Permission
    body_bytes: int | None = None
    is_sensitive: bool = False


View = Callable[..., ResponseReturnValue]


class Console(Blueprint):
    """A blueprint whose pages all declare their access."""

    def __init__(self) -> None:
        super().__init__(NAME, __name__, url_prefix="/console")
        self.pages: dict[str, PageRule] = {}

    def page(
        self,
        method: str,
        rule: str,
        needs: PageAccess | Permission,
        *,
        body_bytes: int | None = None,
        is_sensitive: bool = False,
    ) -> Callable[[View], View]:
        """Register a view for one method of a URL.

        Parameters
        ----------
        method
            ``"GET"``, which changes nothing, or ``"POST"``, a form.
        rule
            URL under ``/console``.
        needs, body_bytes, is_sensitive
            See `PageRule`.
        """

        def register(view: View) -> View:
            name: Any = view.__name__
            self.pages[f"{NAME}.{name}"] = PageRule(needs, body_bytes, is_sensitive)
            self.add_url_rule(rule, endpoint=name, view_func=view, methods=[method])
            return view

        return register
