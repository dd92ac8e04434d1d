"""The function app: registers the blueprints, nothing else."""

import azure.functions as func

from shared.entrypoints import baseline, controls, http, messages, queues, timers

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

app.register_functions(timers.blueprint)
app.register_functions(queues.blueprint)
app.register_functions(http.blueprint)
app.register_functions(controls.blueprint)
app.register_functions(baseline.blueprint)
app.register_functions(messages.blueprint)
