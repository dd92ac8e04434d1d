"""Work 365 cannot sign in at the provider: its credentials, its MFA or its user are refused."""

from dataclasses import replace

from shared.domain.complaints import Words, complains, other, person
from shared.domain.evidence import ProviderRow
from shared.domain.finding import Confidence, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.sign_in import connectivity_fact, consent_lapsed, failing, refused, silent_provider

NAME = "credentials_invalid"


def look_for(look: Look) -> Finding | RuledOut:
    if complains(look, NAME):
        return refused(look, _words(look.evidence.subscription.provider))
    provider = silent_provider(look)
    if provider is None or not failing(look, provider):
        return other(look, NAME)
    if consent_lapsed(look, provider):
        return RuledOut(NAME, "Verify Connectivity failed, which the lapsed consent explains")
    found = person(look, _failed(provider), proof=(connectivity_fact(look, provider),))
    return replace(found, confidence=Confidence.LIKELY)  # a failed test is not yet a refused order


def _words(provider: ProviderRow | None) -> Words:
    name = provider.name if provider is not None else "the provider"
    return Words(
        NAME,
        trouble=f"Work 365 cannot sign in at {name}",
        over=f"Work 365 could not sign in at {name}; that has been mended and verified since, only the change is left.",
        who="provider administrator",
    )


def _failed(provider: ProviderRow) -> Words:
    return Words(
        NAME,
        trouble=f"Verify Connectivity failed at {provider.name}, so Work 365 cannot order there",
        over="",
        who="provider administrator",
        next_step=f"In Work 365, open Providers, {provider.name}: sign in again, then Verify Connectivity.",
    )
