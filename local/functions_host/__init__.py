"""A local stand-in for the Azure Functions host. Ours, not Microsoft's.

It runs an unchanged Python v2 function_app.py on the very worker runtime that Azure runs it on, in a process of
its own, and does around it what the host does on Azure: HTTP, keys, queues with their poison, timers, outputs.

Left out: every trigger and binding but HTTP, Storage queue and timer; HTTP streams, Easy Auth, CORS, proxies,
function and system keys, disabled functions; the timer monitor and so IsPastDue; @retry on timers; identity
connections; more than one worker; the dynamic concurrency, scaling and drain mode of a plan; most of host.json.
docs/local-host.md says more, also where this host differs on purpose.
"""

from local.functions_host.handle import FunctionsHost, HostDidNotStart
from local.functions_host.options import HostOptions

__all__ = ["FunctionsHost", "HostDidNotStart", "HostOptions"]
