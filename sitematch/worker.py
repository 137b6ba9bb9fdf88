"""A worker process ends with the process that started it, however that one ended."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing import parent_process

_PR_SET_PDEATHSIG = 1
"""From Linux's ``prctl.h``."""

_LOOK_EVERY_S = 0.5


def end_with_parent() -> None:
    """Make this process end when its parent does, even by ``kill -9``.

    A worker that lived on would keep the port, and answer beside the next server from the old files. On Linux the
    kernel ends it at once; elsewhere a thread looks twice a second. A process that no other started is left alone.
    """
    parent = parent_process()
    if parent is None or parent.pid is None:
        return
    if sys.platform == "linux":
        import ctypes

        # Bound to the thread that forked: the main thread of the server, which lives as long as it does.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent.pid:
        os._exit(1)  # it ended before the kernel was asked
    if sys.platform != "linux":
        threading.Thread(target=_watch, args=(parent.pid,), name="sitematch-parent", daemon=True).start()


def _watch(parent_id: int) -> None:
    while os.getppid() == parent_id:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
