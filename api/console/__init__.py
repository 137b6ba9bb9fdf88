"""``/console``: the coordinator's console. Pages for signed-in people, rendered on the server.

They use plain links and forms, and redirect the browser after a form; a script makes some of them more comfortable. The
console is not part of the HTTP interface: its URLs and forms may change.
"""

from __future__ import annotations

from api.access import Admission
from api.backend import Backend
from api.console import (
    accounts,
    calendar,
    caps,
    dashboard,
    holds,
    imports,
    invitations,
    referral_list,
    referrals,
    reports,
    second_factor,
    sign_in,
    sites,
    studies,
    today,
    waiting,
)
from api.console.page import context, faults, guard, instants
from api.console.page.routes import Console


def blueprint(backend: Backend) -> Console:
    """Create the pages."""
    console = Console()
    context.register(console, backend)
    instants.register(console)
    faults.register(console, backend)
    for module in (
        sign_in,
        invitations,
        second_factor,
        studies,
        today,
        calendar,
        dashboard,
        sites,
        caps,
        holds,
        referral_list,
        referrals,
        waiting,
        accounts,
        imports,
        reports,
    ):
        module.register(console, backend)
    return console


def admission(backend: Backend, console: Console) -> Admission:
    """Return the access check for requests to the console's pages."""
    return lambda endpoint, request_id: guard.admit(backend, console.pages, endpoint, request_id)
