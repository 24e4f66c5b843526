"""Children that are forked from a program that has loaded everything, so that hundreds can be killed in a minute."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


def forked(work: Callable[[], object]) -> int:
    """Do something in a child, and return the child's process id.

    The parent must have no threads, and no open connection that the child could use.
    """
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        work()
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the child ends here
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(code)


def ended(child: int) -> bool:
    """Wait for a child, and return whether it was killed.

    Raises:
        RuntimeError: it failed by itself.
    """
    _, status = os.waitpid(child, 0)
    if os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL):
        raise RuntimeError(f"a child ended with {os.waitstatus_to_exitcode(status)}")
    return os.WIFSIGNALED(status)


def kill_me() -> None:
    """End this process as `kill -9` does."""
    os.kill(os.getpid(), signal.SIGKILL)
