"""What goes wrong, told as RFC 9457 does: a body of `application/problem+json`, the same for every cause."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from amends import (
    AmendsError,
    Conflict,
    InvalidValue,
    RuleError,
    StoreUnavailable,
    TooLarge,
    UnknownCase,
    UnknownPolicy,
)

MEDIA_TYPE: Final = "application/problem+json"

#: The exceptions of amends that a caller can cause, or wait for; any other is a failure of ours.
STATUS: Final[Mapping[type[AmendsError], int]] = {
    UnknownCase: 404,
    UnknownPolicy: 422,
    TooLarge: 413,
    InvalidValue: 422,
    RuleError: 422,
    Conflict: 409,
    StoreUnavailable: 503,
}
#: For these the same call, with the same key, may well succeed a moment later.
_AGAIN: Final = (Conflict, StoreUnavailable)


class Problem(BaseModel):
    """Why a call was not done."""

    type: str = Field(examples=["https://shop.example/problems/refused"])
    title: str = Field(examples=["The event was refused"])
    status: int = Field(examples=[409])
    detail: str = Field(
        description="A sentence for people.", examples=["The return window closed on 1 April 2026."]
    )
    code: str | None = Field(
        None, description="Of a refusal: the reason's code.", examples=["return_window_closed"]
    )
    rule: str | None = Field(None, description="Of a refusal: the policy's rule that refused.")
    missing: list[str] | None = Field(None, description="Facts that would decide what is undecided.")
    errors: list[str] | None = Field(None, description="What is wrong with the call, part by part.")


class Refused(Exception):  # noqa: N818 - a refusal is an answer
    """An event was refused. amends returns that; only here, at the edge, it becomes an exception."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.problem = _problem(status, detail, name="refused", title="The event was refused", **more)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI is told of the problems that an endpoint may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def install(app: FastAPI) -> None:
    """Answer every failure of an application with a problem, and describe it."""
    app.openapi = lambda: described(app)  # type: ignore[method-assign] # FastAPI's own way to extend it

    @app.exception_handler(Refused)
    def refused(_: Request, error: Refused) -> JSONResponse:
        return _answer(error.problem)

    for kind, status in STATUS.items():
        app.add_exception_handler(kind, partial(_cannot, status))

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        wrong = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        return _answer(_problem(422, "The call is not as the API describes it.", errors=wrong))

    @app.exception_handler(HTTPException)
    def failed(_: Request, error: HTTPException) -> JSONResponse:
        return _answer(_problem(error.status_code, error.detail), error.headers)

    @app.exception_handler(Exception)
    def unforeseen(_: Request, __: Exception) -> JSONResponse:
        # It is raised again after this, and so logged; the caller is told nothing of it.
        return _answer(_problem(500, "Something failed here. You may try the same again, with the same key."))


def _cannot(status: int, _: Request, error: Exception) -> JSONResponse:
    return _answer(_problem(status, str(error)), {"Retry-After": "1"} if isinstance(error, _AGAIN) else None)


def described(app: FastAPI) -> dict[str, Any]:
    """Return an application's OpenAPI document with the problems that its endpoints refer to."""
    found = FastAPI.openapi(app)
    found["components"]["schemas"][Problem.__name__] = Problem.model_json_schema()
    return found


def _problem(
    status: int, detail: str, *, name: str | None = None, title: str | None = None, **more: Any
) -> Problem:
    kind = f"https://shop.example/problems/{name}" if name else "about:blank"
    return Problem(type=kind, title=title or HTTPStatus(status).phrase, status=status, detail=detail, **more)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = problem.model_dump(exclude_none=True)
    return JSONResponse(body, problem.status, headers, media_type=MEDIA_TYPE)
