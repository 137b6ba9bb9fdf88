"""The console's blueprint: every page says what it needs, and a page that says nothing is refused to everybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from sitematch.domain.accounts.access import Permission

NAME = "console"
"""The blueprint's name, with which its endpoints begin."""


class PageAccess(Enum):
    """Who may see a page that needs no permission."""

    PUBLIC = auto()
    """Everybody may see it: the way in."""
    SIGNED_IN = auto()
    """Whoever is signed in, whatever the role."""


@dataclass(frozen=True, slots=True)
class PageRule:
    """One page or form of the console.

    Parameters
    ----------
    needs
        What whoever asks for it must be allowed somewhere; where, the services ask.
    body_bytes
        The longest body that it takes.
    """

    needs: PageAccess | Permission
    body_bytes: int | None = None


View = Callable[..., ResponseReturnValue]


class Console(Blueprint):
    """A blueprint whose every page carries what it needs."""

    def __init__(self) -> None:
        super().__init__(NAME, __name__, url_prefix="/console")
        self.pages: dict[str, PageRule] = {}

    def page(
        self, method: str, rule: str, needs: PageAccess | Permission, *, body_bytes: int | None = None
    ) -> Callable[[View], View]:
        """Register a view for one method of an address.

        Parameters
        ----------
        method
            ``"GET"``, which changes nothing, or ``"POST"``, a form.
        rule
            Address below ``/console``.
        needs, body_bytes
            See `PageRule`.
        """

        def register(view: View) -> View:
            name: Any = view.__name__
            self.pages[f"{NAME}.{name}"] = PageRule(needs, body_bytes)
            self.add_url_rule(rule, endpoint=name, view_func=view, methods=[method])
            return view

        return register
