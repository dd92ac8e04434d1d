"""Timers that tell a queue when they ran, and on which host."""

import json
import os
import time

import azure.functions as func

app = func.FunctionApp()


def _told(name: str, timer: func.TimerRequest, **more: object) -> str:
    status, schedule = timer.schedule_status, timer.schedule  # type: ignore[attr-defined]
    told = {"name": name, "host": os.environ["HOST"], "past_due": timer.past_due}
    return json.dumps({**told, "status": status, "schedule": schedule, **more})


@app.timer_trigger(arg_name="timer", schedule="%EVERY%")
@app.queue_output(arg_name="told", queue_name="%TOLD%", connection="AzureWebJobsStorage")
def tick(timer: func.TimerRequest, told: func.Out[str]) -> None:
    told.set(_told("tick", timer))


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
@app.queue_output(arg_name="told", queue_name="%TOLD%", connection="AzureWebJobsStorage")
def slow(timer: func.TimerRequest, told: func.Out[str]) -> None:
    began = time.time()
    time.sleep(1.5)
    told.set(_told("slow", timer, began=began, ended=time.time()))


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
@app.queue_output(arg_name="told", queue_name="%TOLD%", connection="AzureWebJobsStorage")
async def yearly(timer: func.TimerRequest, told: func.Out[str]) -> None:
    told.set(_told("yearly", timer))
