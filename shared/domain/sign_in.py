"""How Work 365 signs in at a provider: what Verify Connectivity and the consent say, and since when.

They speak only where no message of the change does: a message is nearer to the reason.
"""

from datetime import datetime, timedelta

from shared.domain.complaints import Words, complains, cured, left_on, person, worked_since
from shared.domain.evidence import ProviderRow, ProviderType
from shared.domain.finding import Fact, Finding
from shared.domain.look import Look
from shared.domain.provider_errors import read_message

CONSENT_LASTS = timedelta(days=90)


def refused(look: Look, words: Words) -> Finding:
    """A message says that the sign-in was refused. A later Verify Connectivity that succeeded cures it (rule 4)."""
    assert complains(look, words.name)  # noqa: S101  (both callers have asked)
    provider = look.evidence.subscription.provider
    verified = verified_since(look)
    again = () if verified is None else _again(look, words.name, verified)
    if provider is not None and verified is not None and look.reading.verifiable and not again:
        return cured(look, words.name, words.over, (connectivity_fact(look, provider),))
    if provider is None:
        return person(look, words)
    proof = (connectivity_fact(look, provider),)
    if again:
        return person(look, words, proof=again, against=proof)
    mended = () if verified is None else proof
    return person(look, words, proof=() if mended else proof, against=(*mended, *worked_since(look)))


def _again(look: Look, name: str, verified: datetime) -> tuple[Fact, ...]:
    """Later changes of the subscription that complain of the same, and not before the verification: it did not last."""
    later = [
        change
        for change in look.chain.behind
        if read_message(change.message).cause == name and (change.modified_on is None or change.modified_on >= verified)
    ]
    return tuple(look.change_fact("the same complaint since", change.message[:500], change) for change in later[:1])


def verified_since(look: Look) -> datetime | None:
    """When the provider was verified successfully after the message was left; None when it was not."""
    provider, left = look.evidence.subscription.provider, left_on(look)
    verified = works_on(look, provider) if provider is not None else None
    return verified if verified is not None and left is not None and verified > left else None


def works_on(look: Look, provider: ProviderRow) -> datetime | None:
    """The last successful Verify Connectivity; one that is said to lie in the future proves nothing."""
    verified = provider.last_verified_on
    if provider.connectivity != "verified" or verified is None:
        return None
    return verified if verified <= look.after(look.now, look.policy.grace) else None


def silent_provider(look: Look) -> ProviderRow | None:
    """The provider whose stamps may speak: one that Work 365 drives, for a change that says nothing itself."""
    provider = look.evidence.subscription.provider
    if look.head is None or look.message or provider is None:
        return None
    return provider if provider.type in (ProviderType.AUTOMATIC, ProviderType.REST) else None


def consent_ends(look: Look, provider: ProviderRow) -> datetime | None:
    """When the consent lapses unless it is used; None when it is not known, or the provider knows no consent."""
    if provider.connector != "microsoft_csp" or provider.consent_on is None:
        return None
    return look.after(provider.consent_on, CONSENT_LASTS)


def consent_lapsed(look: Look, provider: ProviderRow) -> bool:
    """Whether the consent is older than it lasts, and nothing shows that it has worked since then."""
    ends = consent_ends(look, provider)
    return ends is not None and ends <= look.now and not _worked_after(look, provider, ends)


def failing(look: Look, provider: ProviderRow) -> bool:
    """Whether Verify Connectivity failed, and nothing of this subscription got through since then."""
    if provider.connectivity != "failed":
        return False
    failed_on = provider.last_verified_on
    return failed_on is None or not _got_through(look, failed_on)


def connectivity_fact(look: Look, provider: ProviderRow) -> Fact:
    when = provider.last_verified_on
    value = f"{provider.connectivity or 'not known'}, {when.isoformat() if when else 'at a time that is not known'}"
    return look.fact("Verify Connectivity", value, f"provider:{provider.id}")


def consent_fact(look: Look, provider: ProviderRow) -> Fact:
    when = provider.consent_on
    return look.fact("consent given", when.isoformat() if when else None, f"provider:{provider.id}")


def _worked_after(look: Look, provider: ProviderRow, moment: datetime) -> bool:
    verified = works_on(look, provider)
    return (verified is not None and verified >= moment) or _got_through(look, moment)


def _got_through(look: Look, moment: datetime) -> bool:
    return any(
        c.actual_provisioned_on is not None and moment < c.actual_provisioned_on <= look.now
        for c in look.evidence.changes
    )
