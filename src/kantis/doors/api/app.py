"""The application: one per process, around one desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from kantis.desk.submit import Desk
from kantis.doors.api import checkout, first, shops
from kantis.doors.api.contract import contract
from kantis.doors.api.events import EVENTS, Events
from kantis.doors.api.gate import Gate
from kantis.doors.api.office import Office
from kantis.doors.api.problems import Problem, response
from kantis.doors.api.resources import DEEDS, RESOURCES
from kantis.doors.api.setup import USUAL, Setup


def application(desk: Desk, setup: Setup = USUAL) -> Gate:
    """The service of a desk as an ASGI application. The desk is closed by whoever opened it."""

    @asynccontextmanager
    async def open_office(_: FastAPI) -> AsyncIterator[None]:
        office = gate.office = Office(desk, setup)
        yield
        await office.close()

    app = FastAPI(
        title="Kantis", lifespan=open_office, openapi_url=None, docs_url=None, redoc_url=None,
        redirect_slashes=False,
        exception_handlers={
            Problem: _problem, RequestValidationError: _invalid, HTTPException: _unread,
            Exception: _fault,
        },
    )  # fmt: skip
    for resource in RESOURCES:
        app.include_router(resource.router)
    app.router.routes += [
        Route("/healthz", _healthz),
        Route("/readyz", _readyz),
        Route("/metrics", _metrics),
        Route("/openapi.json", _openapi),
        Route("/first/{token}", first.open_link, methods=["POST"]),
        *(Route(each.path, each, methods=["POST"]) for each in DEEDS),
        Route(checkout.SCRIPT, checkout.script),
        Route("/v1/shops/{connection}/webhook", shops.webhook, methods=["POST"]),
    ]
    gate = Gate(app, {EVENTS: Events(), "/v1/quotes": Events(quotes=True)})
    return gate


async def _healthz(_: Request) -> Response:
    return _json({"up": True})


async def _readyz(request: Request) -> Response:
    office: Office = request.scope["state"]["office"]
    if not office.line.alive:
        raise Problem("closing", retry_after="1")
    edition = await office.read(lambda reader: reader.books.edition())
    return _json({"ready": True, "versions": edition})


async def _metrics(request: Request) -> Response:
    office: Office = request.scope["state"]["office"]
    data = await asyncio.to_thread(generate_latest, office.journal.figures.registry)
    return Response(data, headers={"content-type": CONTENT_TYPE_LATEST})


async def _openapi(_: Request) -> Response:
    return Response(_contract(), media_type="application/json")


@cache
def _contract() -> bytes:
    return msgspec.json.encode(contract())


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return response(problem, request.scope["state"]["request"])


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors())
    return await _problem(request, Problem("malformed", f"{said}."))


async def _unread(request: Request, _: Exception) -> Response:
    """What the framework itself refuses is a body that is not even text."""
    return await _problem(request, Problem("malformed", "The body cannot be read."))


async def _fault(request: Request, _: Exception) -> Response:
    """The gate hears of it too, and puts it in the log."""
    return await _problem(request, Problem("fault"))


def _json(found: Any) -> Response:
    return Response(msgspec.json.encode(found), media_type="application/json")
