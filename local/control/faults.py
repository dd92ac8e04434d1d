"""Faults as the control endpoint takes them, for each part of the cloud."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from local.control.environment import Environment
from local.dataverse.faults import fault_from_json
from local.partner_center.errors import Refusal, known_errors
from local.partner_center.traffic import Fault, FaultKind
from local.sign_in import SignIn, SignInRefusal


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


_ADAPTER: TypeAdapter[PartnerCenterFault | SignInFault | ProviderFault] = TypeAdapter(
    Annotated[PartnerCenterFault | SignInFault | ProviderFault, Field(discriminator="target")]
)


def add_fault(wanted: dict[str, Any], environment: Environment, sign_in: SignIn, now: datetime) -> None:
    """Arms a fault. Raises ValueError that names what is wrong."""
    if wanted.get("target") == "dataverse":
        environment.faults.add(fault_from_json({key: wanted[key] for key in wanted if key != "target"}))
        return
    try:
        fault = _ADAPTER.validate_python(wanted)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise ValueError(
            f"{where or 'target (dataverse, partner_center, sign_in or provider)'}: {first['msg']}"
        ) from None
    if not isinstance(fault, PartnerCenterFault) and fault.code not in known_errors():
        raise ValueError(f"code: {fault.code} is not in local/partner_center/error_texts.tsv")
    match fault:
        case PartnerCenterFault():
            until = fault.until(now)
            environment.center.traffic.faults.append(
                Fault(fault.kind, fault.path, fault.times, until, fault.retry_after)
            )
        case SignInFault():
            sign_in.refusals.append(SignInRefusal(fault.code, fault.client_id, fault.until(now), fault.times))
        case ProviderFault():
            environment.provider.rules.append(_rule(fault, now))


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
    sign_in.refusals.clear()
    environment.provider.rules[:] = [r for r in environment.provider.rules if r in environment.built.refusals]
