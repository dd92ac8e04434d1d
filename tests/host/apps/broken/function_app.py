"""An app that passes every unit test and does not index: `list[str]` where the runtime wants typing.List."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="send")
@app.queue_output(arg_name="out", queue_name="q", connection="AzureWebJobsStorage")
def send(req: func.HttpRequest, out: func.Out[list[str]]) -> func.HttpResponse:
    return func.HttpResponse()
