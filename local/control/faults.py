"""Faults as the control endpoint takes them, for each part of the cloud."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from local.control.environment import Environment
from local.dataverse.faults import fault_from_json
from local.partner_center.errors import Refusal, known_errors
from local.partner_center.traffic import Fault, FaultKind
from local.sign_in import SignIn, SignInRefusal
from local.storage.faults import Fault as OnStorage
from local.storage.faults import FaultKind as StorageFaultKind


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    times: int | None = Field(default=None, ge=1)
    """How often; None: until the faults are deleted."""
    seconds: float | None = None
    """For how long; None: until the faults are deleted."""

    def until(self, now: datetime) -> datetime | None:
        return None if self.seconds is None else now + timedelta(seconds=self.seconds)


class PartnerCenterFault(_Order):
    """Something that goes wrong on the way to Partner Center."""

    target: Literal["partner_center"]
    kind: FaultKind
    path: str = ""
    retry_after: int = 57


class SignInFault(_Order):
    """Nobody (or one application) can sign in."""

    target: Literal["sign_in"]
    code: str
    client_id: str | None = None


class ProviderFault(_Order):
    """The provider refuses orders, and with `reads` questions, too."""

    target: Literal["provider"]
    code: str
    values: list[str] = Field(default_factory=list)
    provider_name: str | None = None
    tenant_id: str | None = None
    subscription_id: str | None = None
    executes: bool = False
    reads: bool = False


class StorageFault(BaseModel):
    """Something that goes wrong on the way to storage, where the stack leads it past the cloud."""

    model_config = ConfigDict(extra="forbid")

    target: Literal["storage"]
    kind: StorageFaultKind
    method: str = ".*"
    path: str = ""
    times: int = Field(default=1, ge=1)
    retry_after: int = 1

    @field_validator("method", "path")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.PatternError as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
        return pattern


class PlugInFault(BaseModel):
    """A plug-in saves a change once more after the next saves of its status."""

    model_config = ConfigDict(extra="forbid")

    target: Literal["plug_in"]
    times: int = Field(default=1, ge=1)


type AnyFault = PartnerCenterFault | SignInFault | ProviderFault | StorageFault | PlugInFault

_ADAPTER: TypeAdapter[AnyFault] = TypeAdapter(Annotated[AnyFault, Field(discriminator="target")])


def add_fault(wanted: dict[str, Any], environment: Environment, sign_in: SignIn, now: datetime) -> None:
    """Arms a fault. Raises ValueError that names what is wrong.

    With a `name`, how often it has struck is kept under that name; not for those who sign in or the provider.
    """
    name = wanted.get("name")
    struck = _arm({key: wanted[key] for key in wanted if key != "name"}, environment, sign_in, now)
    if name is not None:
        environment.thrown.append((str(name), struck))


def struck(environment: Environment) -> Counter[str]:
    """How often faults have struck, by the names that they were given."""
    found: Counter[str] = Counter()
    for name, count in environment.thrown:
        found[name] += count()
    return found


def _arm(wanted: dict[str, Any], environment: Environment, sign_in: SignIn, now: datetime) -> Callable[[], int]:
    """Arms a fault; what comes back tells how often it has struck."""
    if wanted.get("target") == "dataverse":
        armed = environment.faults.add(fault_from_json({key: wanted[key] for key in wanted if key != "target"}))
        return lambda: armed.fired
    try:
        fault = _ADAPTER.validate_python(wanted)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(
            f"{where or 'target (dataverse, partner_center, sign_in, provider, storage or plug_in)'}: {first['msg']}"
        ) from None
    if isinstance(fault, SignInFault | ProviderFault) and fault.code not in known_errors():
        raise ValueError(f"code: {fault.code} is not in local/partner_center/error_texts.tsv")
    match fault:
        case PartnerCenterFault():
            on_the_way = Fault(fault.kind, fault.path, fault.times, fault.until(now), fault.retry_after)
            environment.center.traffic.faults.append(on_the_way)
            return lambda: on_the_way.struck
        case StorageFault():
            on_storage = OnStorage(fault.kind, fault.method, fault.path, fault.times, fault.retry_after)
            environment.storage_faults.append(on_storage)
            return lambda: on_storage.struck
        case PlugInFault():
            options = environment.options
            before = options.touched + options.touches  # those that were asked for earlier come first
            options.touches += fault.times
            return lambda: max(0, min(fault.times, options.touched - before))
        case SignInFault():
            sign_in.refusals.append(SignInRefusal(fault.code, fault.client_id, fault.until(now), fault.times))
        case ProviderFault():
            environment.provider.rules.append(_rule(fault, now))
    return lambda: 0


def _rule(fault: ProviderFault, now: datetime) -> Refusal:
    known: Callable[..., Refusal] = Refusal.known
    return known(
        fault.code,
        *fault.values,
        provider_name=fault.provider_name,
        tenant_id=fault.tenant_id,
        subscription_id=fault.subscription_id,
        until=fault.until(now),
        times=fault.times,
        executes=fault.executes,
        reads=fault.reads,
    )


def clear_faults(environment: Environment, sign_in: SignIn) -> None:
    """Disarms everything that was armed; what the world itself refuses stays."""
    environment.faults.clear()
    environment.center.traffic.faults.clear()
    environment.storage_faults.clear()
    environment.options.touches = 0
    sign_in.refusals.clear()
    environment.provider.rules[:] = [r for r in environment.provider.rules if r in environment.built.refusals]
