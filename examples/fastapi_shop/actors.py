"""Who is calling, and which orders are theirs. A STUB: this is the host's duty, and yours is somewhere else already.

amends checks the *role* of whoever sends an event. It knows no passwords, no sessions, and not whose an order is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody in a role of the policy; as text, such as `buyer:7`, it is what amends is told."""

    role: str
    id: str

    def __str__(self) -> str:
        return f"{self.role}:{self.id}"


#: A stand-in for sessions or signed tokens: everybody can read these.
TOKENS: Final = {
    f"{role}-{number}": Actor(role, number)
    for role, number in (
        ("buyer", "7"),
        ("buyer", "8"),
        ("seller", "3"),
        ("seller", "4"),
        ("platform", "1"),
        ("carrier", "1"),
        ("payment_provider", "1"),
    )
}

_BEARER: Final = HTTPBearer(auto_error=False, description=f"One of the demo tokens: {', '.join(TOKENS)}.")


def _caller(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> Actor:
    """Return who is calling, or refuse those whom we do not know."""
    known = TOKENS.get(credentials.credentials) if credentials else None
    if known is None:
        raise HTTPException(401, "Send one of the demo tokens.", {"WWW-Authenticate": "Bearer"})
    return known


#: Who is calling, as an argument of an endpoint.
Caller = Annotated[Actor, Depends(_caller)]


def demand(caller: Actor, role: str) -> None:
    """Refuse whoever is not in a role: for what the shop itself does, which no policy knows of."""
    if caller.role != role:
        raise HTTPException(403, f"Only a {role} may do this, and you are {caller}.")
