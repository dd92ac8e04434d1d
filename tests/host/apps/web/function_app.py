"""HTTP functions that show what reaches a handler and what leaves it."""

import asyncio
import importlib.util
import json
import logging
import os
import sys
import threading

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
_meeting = threading.Barrier(3)


def _json(value: object, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(value), status_code=status, mimetype="application/json")


@app.route(route="echo/{number:int}/{name?}")
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("web").info("an echo of %s", req.url)
    return _json(
        {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "query": dict(req.params),
            "route": dict(req.route_params),
            "body": req.get_body().decode("latin-1"),
        }
    )


@app.route(route="things/{id:guid}", methods=["GET"])
def thing(req: func.HttpRequest) -> func.HttpResponse:
    return _json({"id": req.route_params["id"]})


@app.route(route="things/{id:guid}", methods=["DELETE"])
def remove(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(status_code=204)


@app.route(route="files/{*path}", methods=["GET"])
def files(req: func.HttpRequest) -> func.HttpResponse:
    return _json({"path": req.route_params.get("path")})


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
def keyed(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.route(route="masters", auth_level=func.AuthLevel.ADMIN)
def masters(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("in")


@app.route(route="fails")
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("on purpose")


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse(b"\x00\xff", status_code=418, mimetype="application/octet-stream")
    response.headers["x-own"] = "1"
    response.headers.add("Set-Cookie", "one=1; HttpOnly")
    response.headers.add("Set-Cookie", "two=2; Path=/two; Secure")
    return response


@app.route(route="text")
def text(req: func.HttpRequest) -> str:
    return "plain"


@app.route(route="meet")
def meet(req: func.HttpRequest) -> func.HttpResponse:
    """Returns only when three of them run at the same time."""
    _meeting.wait(60)
    return func.HttpResponse("met")


@app.route(route="surroundings")
async def surroundings(req: func.HttpRequest) -> func.HttpResponse:
    return _json(
        {
            "environment": dict(os.environ),
            "path": sys.path,
            "directory": os.getcwd(),
            "pytest": importlib.util.find_spec("pytest") is not None,
            "local": importlib.util.find_spec("local") is not None,
        }
    )


@app.route(route="stuck")
async def stuck(req: func.HttpRequest) -> func.HttpResponse:
    logging.getLogger("web").info("it has begun")
    await asyncio.Event().wait()
    return func.HttpResponse("never")


@app.route(route="leaves")
def leaves(req: func.HttpRequest) -> func.HttpResponse:
    sys.exit("the handler ended its process")
