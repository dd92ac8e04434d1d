"""The function app: registers the blueprints, nothing else."""

import os

import azure.functions as func

from shared.bootstrap import app as this_app
from shared.entrypoints import queues, timers
from shared.entrypoints.callers import Gate
from shared.entrypoints.routes import ROUTES
from shared.entrypoints.serving import blueprint_of

# A function that is not of the table, and says nothing of who may call it, wants a key.
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

app.register_functions(timers.blueprint)
app.register_functions(queues.blueprint)
app.register_functions(blueprint_of(ROUTES, Gate.of(os.environ), this_app))
