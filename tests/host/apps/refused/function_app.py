"""An app that indexes, and that the real host refuses or misunderstands."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="Same/{id}", methods=["GET", "POST"])
def first(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()


@app.route(route="/same/{id}/", methods=["POST", "PUT"])
def second(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()


@app.route(route="same/{id}", methods=["DELETE"])
def third(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()


@app.route(route="administrators")
def reserved(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse()


@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
@app.queue_trigger(arg_name="message", queue_name="one", connection="AzureWebJobsStorage")
def retried(message: func.QueueMessage) -> None: ...


@app.queue_trigger(arg_name="message", queue_name="one", connection="AzureWebJobsStorage")
def same_queue(message: func.QueueMessage) -> None: ...
