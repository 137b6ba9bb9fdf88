"""``/console``: the coordinator's console. Pages for people who are signed in, made on the server.

Each works by plain links and forms, and sends the browser on after a form; a script makes some of it more comfortable.
The console is no part of the HTTP interface: its addresses and forms are its own, and may change.
"""

from __future__ import annotations

from api.access import Admission
from api.backend import Backend
from api.console import accounts, caps, dashboard, holds, imports, referrals, reports, sign_in, sites, studies, waiting
from api.console.page import context, faults, guard, instants
from api.console.page.routes import Console


def blueprint(backend: Backend) -> Console:
    """Make the pages."""
    console = Console()
    context.register(console, backend)
    instants.register(console)
    faults.register(console, backend)
    for module in (sign_in, studies, dashboard, sites, caps, holds, referrals, waiting, accounts, imports, reports):
        module.register(console, backend)
    return console


def admission(backend: Backend, console: Console) -> Admission:
    """Return what lets requests for the console's pages in."""
    return lambda endpoint, request_id: guard.admit(backend, console.pages, endpoint, request_id)
