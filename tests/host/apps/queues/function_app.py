"""Queue functions. What a message asks for stands in it: {"do": "tell" | "fail" | "hang once" | ...}."""

import asyncio
import json
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _told(message: func.QueueMessage, **more: object) -> str:
    moments = (message.insertion_time, message.expiration_time, message.time_next_visible)
    return json.dumps(
        {
            "id": message.id,
            "receipt": message.pop_receipt,
            "tries": message.dequeue_count,
            "times": [moment and moment.isoformat() for moment in moments],
            "body": message.get_body().decode(),
            **more,
        }
    )


@app.queue_trigger(arg_name="message", queue_name="%WORK%", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="told", queue_name="%TOLD%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage, told: func.Out[str]) -> None:
    wish = message.get_json()
    if wish["do"] == "fail":
        raise RuntimeError("on purpose")
    if wish["do"] == "hang once" and message.dequeue_count == 1:
        await asyncio.Event().wait()
    told.set(_told(message))


@app.queue_trigger(arg_name="message", queue_name="%WORK%-poison", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="told", queue_name="%TOLD%", connection="AzureWebJobsStorage")
def poison(message: func.QueueMessage, told: func.Out[str]) -> None:
    if message.get_body() == b'{"do": "fail", "poison": "fail"}':
        raise RuntimeError("even here")
    told.set(_told(message, poison=True))


@app.route(route="send", methods=["POST"])
@app.queue_output(arg_name="one", queue_name="%WORK%", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="many", queue_name="%LIST%", connection="Other")
@app.queue_output(arg_name="raw", queue_name="%LIST%", connection="Other")
def send(
    req: func.HttpRequest,
    one: func.Out[str],
    many: func.Out[typing.List[str]],  # noqa: UP006  the runtime does not index list[str]
    raw: func.Out[bytes],
) -> func.HttpResponse:
    one.set(req.get_body().decode())
    many.set(["a", "b", "c"])
    raw.set(b"bytes")
    return func.HttpResponse(status_code=202)
