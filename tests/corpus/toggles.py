"""Changes at Not Applicable: ours half done, set by a person, set by the system."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from shared.domain.evidence import ChangeSource, ChangeType, JobStatus, ProviderReading, ProviderSubscription
from shared.domain.evidence import SubscriptionStatus as Status
from shared.domain.intent import Phase
from tests.builders import DAY, HOUR, LATER, NOW, OURS, SOMEONE, STUCK, WORK365_USER, half_toggled, our_intent
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, case, healthy
from tests.corpus.parts import (
    EARLIER,
    NOT_APPLICABLE,
    NOTHING,
    PART,
    job,
    later,
    old,
    seats,
    see,
    stuck,
    sub,
    unreadable,
)

_CONSENT = '{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired"}'
_OURS, _AWAY = half_toggled(), sub(provider_subscription_id=None)
_FIRST = replace(_OURS, change_type=ChangeType.CREATE, quantity=Decimal(25))
_BOUGHT = ProviderSubscription("f0f0", 25, "active", PART, NOW - DAY)
_BY_HAND = stuck(status=NOT_APPLICABLE, modified_by=SOMEONE, modified_on=NOW - 2 * HOUR, created_on=NOW - DAY)
_EARLIER = replace(_BY_HAND, id=EARLIER, quantity=Decimal(3))
_REST = sub(status=Status.PROVISIONED)

# fmt: off
CASES = [
    case(
        "our half-done toggle", "our open intent, and the change stands at the Not Applicable that we set",
        see(old(), _OURS, intent=our_intent()), "half_toggled", AUTO,
    ),
    case(
        "our first write was not confirmed", "the intent is open although nobody told us that the write arrived",
        see(old(), _OURS, intent=our_intent(phase=Phase.INTENDED, etag_after="")), "half_toggled", AUTO,
    ),
    case(
        "a plug-in touched our half-done toggle", "Work 365's own user decides nothing",
        see(old(), half_toggled(etag='W/"109"', modified_by=WORK365_USER), intent=our_intent()), "half_toggled", AUTO,
    ),
    case(
        "a person edited our half-done toggle", "someone has moved it since: what they want is theirs to say",
        see(old(), half_toggled(etag='W/"109"', modified_by=SOMEONE), intent=our_intent()), "half_toggled", PERSON,
    ),
    case(
        "the provider got there during our toggle", "the second write could order twice",
        see(old(), _OURS, intent=our_intent(), provider=seats(25)), "half_toggled", APPROVE, also=["already_applied"],
    ),
    case(
        "our half-done toggle beside a live job", "rule 7: never beside a live job",
        see(old(), _OURS, intent=our_intent(), jobs=(job(JobStatus.IN_PROGRESS, 5),)), "half_toggled", WAIT, PERSON,
    ),
    case(
        "our half-done toggle and a provider that refuses us", "rule 1: provider unreadable, approve at most",
        see(old(), _OURS, intent=our_intent(), provider=unreadable("403")), "half_toggled", APPROVE, PERSON,
    ),
    case(
        "our half-done toggle and a provider that throttles", "it can be asked again in a moment",
        see(old(), _OURS, intent=our_intent(), provider=unreadable("429", transient=True)), "half_toggled", WAIT,
        APPROVE, PERSON,
    ),
    case(
        "our half-done toggle was archived", "archived changes are never written",
        see(old(), replace(_OURS, archived=True), intent=our_intent(), subscription=_REST), "half_toggled", PERSON,
    ),
    case(
        "the change of our toggle is gone", "nothing can be finished that cannot be found",
        see(old(), intent=our_intent(), subscription=_REST), "half_toggled", PERSON,
    ),
    case(
        "our half-done toggle with jobs unread", "what could not be read is never fine",
        see(old(), _OURS, intent=our_intent(), unread=("jobs (403)",)), "half_toggled", PERSON, also=["unknown"],
    ),
    case(
        "our half-done toggle of a deactivation", "taking licenses away is approved by a person",
        see(old(), replace(_OURS, change_type=ChangeType.DEACTIVATE, quantity=Decimal(-20)), intent=our_intent()),
        "half_toggled", APPROVE, PERSON,
    ),
    case(
        "our half-done first order, bought meanwhile", "an unlinked subscription of the product is at the provider",
        see(
            _FIRST, subscription=_AWAY, intent=our_intent(), linked_at_provider=frozenset(),
            provider=ProviderReading(NOW, (_BOUGHT,), relationship=True),
        ),
        "half_toggled", PERSON, APPROVE,
    ),
    case(
        "our half-done first order, nothing bought",
        "nothing of the product at the provider, nothing ordered just now",
        see(
            _FIRST, subscription=_AWAY, intent=our_intent(), linked_at_provider=frozenset(),
            provider=ProviderReading(NOW, (), relationship=True),
        ),
        "half_toggled", AUTO,
    ),
    case(
        "our half-done toggle with its old complaint still live",
        "consent is still expired: a person renews it first",
        see(old(), replace(_OURS, message=_CONSENT), intent=our_intent()), "half_toggled", PERSON,
        also=["consent_expired"],
    ),
    case(
        "Not Applicable by us without a record", "no open intent: it is not ours to finish by itself",
        see(old(), half_toggled()), "unknown", PERSON, never=["half_toggled"],
    ),
    case(
        "set aside by a person", "made in Work 365, set to Not Applicable by hand, and the provider is without it",
        see(old(), _BY_HAND), "set_aside_by_hand", PERSON, never=["half_toggled", "unknown", "no_change_log"],
    ),
    case(
        "a half-done manual toggle five minutes ago", "a person may be between the two clicks: theirs to finish",
        see(old(), replace(_BY_HAND, modified_on=NOW - timedelta(minutes=5))), "set_aside_by_hand", PERSON,
    ),
    case(
        "set aside by a person from the portal", "an order of the portal is made in Work 365 too",
        see(old(), replace(_BY_HAND, source=ChangeSource.PORTAL)), "set_aside_by_hand", PERSON,
    ),
    case(
        "set aside before the change that waits", "the earlier one is not applied, and the later one is asked for",
        see(old(), _EARLIER, stuck()), "set_aside_by_hand", PERSON,
    ),
    case(
        "set aside with an old complaint on it", "a person gave up on a failed change without closing it elsewhere",
        see(old(), replace(_BY_HAND, message="Subscription quantity can't be changed now")), "set_aside_by_hand",
        PERSON,
    ),
    case(
        "a first order set aside", "nothing of it is at the provider",
        see(
            replace(_BY_HAND, change_type=ChangeType.CREATE, quantity=Decimal(25)), subscription=_AWAY,
            provider=ProviderReading(NOW, (), relationship=True), linked_at_provider=frozenset(),
        ),
        "set_aside_by_hand", PERSON,
    ),
    case(
        "a seat synchronised from the provider", "Not Applicable is where provider-sourced changes belong",
        see(
            old(), stuck(3, id=EARLIER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER), stuck(),
            provider=seats(23),
        ),
        "trigger_missed", AUTO, never=["set_aside_by_hand"],
    ),
    case(
        "a seat from the provider, edited by a person", "who saved the row last does not make it set aside",
        see(
            old(), stuck(3, id=EARLIER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER, modified_by=SOMEONE),
            stuck(), provider=seats(23),
        ),
        "trigger_missed", AUTO, never=["set_aside_by_hand"],
    ),
    case(
        "one from the provider beside one set aside by hand", "only the second is a decision that nobody made",
        see(
            old(), stuck(3, id=EARLIER, status=NOT_APPLICABLE, source=ChangeSource.PROVIDER),
            replace(_BY_HAND, id=LATER), stuck(), provider=seats(23),
        ),
        "set_aside_by_hand", PERSON,
    ),
    case(
        "a price change that the system closed", "its Not Applicable is the system's, and asks for no seats",
        see(old(), stuck(0, id=EARLIER, status=NOT_APPLICABLE, modified_by=WORK365_USER), stuck()), "trigger_missed",
        AUTO, never=["set_aside_by_hand"],
    ),
    healthy(
        "a service line at rest", "a Do Nothing provider sets Not Applicable by itself",
        see(
            stuck(1, status=NOT_APPLICABLE, change_type=ChangeType.CREATE),
            subscription=sub(status=Status.ACTIVE, provider=NOTHING, account=None), provider=None,
        ),
        near="set_aside_by_hand",
    ),
    healthy(
        "all provisioned", "nothing waits", see(old(), stuck(status=old().status), subscription=_REST),
        near="half_toggled",
    ),
    case(
        "retriggered by us, then set to Not Applicable by someone", "not ours any more, and no one's decision yet",
        see(old(), replace(_BY_HAND, modified_by=OURS, id=STUCK)), "unknown", PERSON, never=["half_toggled"],
    ),
    case(
        "later changes wait behind one set aside", "the first open one is not the first that is missing",
        see(old(), _EARLIER, stuck(), later()), "prior_change_blocking", PERSON, also=["set_aside_by_hand"],
    ),
]
