"""Work 365 may no longer call the provider: its consent or refresh token has lapsed."""

from datetime import datetime

from shared.domain.finding import Confidence, Disposition, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.safety import order_safety

NAME = "consent_expired"


def look_for(look: Look) -> Finding | RuledOut:
    provider = look.evidence.subscription.provider
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    if look.reading.cause != NAME:
        return RuledOut(NAME, "no message of the change speaks of consent")
    proof = (
        look.change_fact("Provisioning Message", look.message[:500]),
        look.change_fact("which means", look.reading.means),
    )
    name = provider.name if provider else "the provider"
    renewed = _renewed_since(look)
    if renewed is None:
        return Finding(
            cause=NAME,
            disposition=Disposition.PERSON,
            confidence=Confidence.CERTAIN,
            sentence=f"Work 365's consent at {name} has expired, so it cannot order there.",
            next_step=f"In Work 365, open Providers, {name}: run consent again, then Verify Connectivity.",
            who="provider administrator",
            proof=proof,
        )
    safety = order_safety(look)
    return Finding(
        cause=NAME,
        disposition=safety.disposition,
        confidence=Confidence.LIKELY,
        sentence=f"Consent at {name} had expired and has been renewed since; the change is still stuck from before.",
        next_step="; ".join(safety.objections) or "Nothing to do: the change is retriggered by this app.",
        who="this app" if safety.disposition is Disposition.AUTO else "billing administrator",
        proof=(
            *proof,
            look.fact("consent renewed and verified", renewed.isoformat(), f"provider:{_id(look)}"),
            *safety.proof,
        ),
        cured=True,
    )


def _renewed_since(look: Look) -> datetime | None:
    """When the provider was verified successfully after the message was left (rule 4); None when it was not."""
    provider, left_on = look.evidence.subscription.provider, look.message_on
    if provider is None or provider.connectivity != "verified" or left_on is None:
        return None
    verified = provider.last_verified_on
    return verified if verified is not None and verified > left_on else None


def _id(look: Look) -> str:
    provider = look.evidence.subscription.provider
    return provider.id if provider else "?"
