"""Work 365 may no longer call the provider: its consent or refresh token has lapsed."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.complaints import Words, complains, other, person
from shared.domain.evidence import ProviderRow
from shared.domain.finding import Confidence, Finding, RuledOut
from shared.domain.look import Look
from shared.domain.sign_in import (
    connectivity_fact,
    consent_ends,
    consent_fact,
    consent_lapsed,
    failing,
    refused,
    silent_provider,
    works_on,
)

NAME = "consent_expired"

_WARN = timedelta(days=14)
"""How long before a consent ends it is worth saying so."""


def look_for(look: Look) -> Finding | RuledOut:
    if complains(look, NAME):
        return refused(look, _words(look.evidence.subscription.provider))
    provider = silent_provider(look)
    if provider is None:
        return other(look, NAME)
    if consent_lapsed(look, provider):
        return _lapsed(look, provider)
    ends = consent_ends(look, provider)
    if ends is None:
        return RuledOut(NAME, "no message speaks of consent, and when it was given is not known")
    if look.now < ends <= look.after(look.now, _WARN):
        return _soon(look, provider)
    return RuledOut(NAME, "no message speaks of consent, and it was given, or has worked, in the last 90 days")


def _lapsed(look: Look, provider: ProviderRow) -> Finding:
    """Older than it lasts. A connection that still worked after it was given speaks against it: use prolongs it."""
    worked = works_on(look, provider)
    used = worked is not None and provider.consent_on is not None and worked > provider.consent_on
    stamp = connectivity_fact(look, provider)
    found = person(
        look,
        replace(
            _words(provider),
            trouble=f"Work 365's consent at {provider.name} is older than the 90 days that it lasts",
            next_step=f"In Work 365, open Providers, {provider.name}: run consent again, then Verify Connectivity.",
        ),
        proof=(consent_fact(look, provider), *(() if used else (stamp,))),
        against=(stamp,) if used else (),
    )
    sure = Confidence.LIKELY if failing(look, provider) or not used else Confidence.LOW
    return replace(found, confidence=sure)


def _soon(look: Look, provider: ProviderRow) -> Finding:
    """Holds nothing back yet: advice."""
    words = replace(
        _words(provider),
        trouble=f"Work 365's consent at {provider.name} ends within two weeks unless it is given again",
        next_step=f"In Work 365, open Providers, {provider.name}: run consent again before then.",
    )
    return replace(person(look, words, proof=(consent_fact(look, provider),)), advice=True)


def _words(provider: ProviderRow | None) -> Words:
    name = provider.name if provider is not None else "the provider"
    return Words(
        NAME,
        trouble=f"Work 365's consent at {name} has expired, so it cannot order there",
        over=f"Consent at {name} had expired and has been renewed since; the change is still stuck from before.",
        who="provider administrator",
        next_step=f"In Work 365, open Providers, {name}: run consent again, then Verify Connectivity.",
    )
