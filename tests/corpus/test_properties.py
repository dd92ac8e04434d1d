"""What holds for any evidence: nothing raises, bad news never frees, gaps never reassure, order never matters."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from shared.domain.causes import CAUSES
from shared.domain.diagnosis import Diagnosis, diagnose, explain
from shared.domain.evidence import Change, ChangeSource, ChangeType, JobStatus, ProviderReading, ProvisioningStatus
from shared.domain.finding import Confidence, Disposition
from shared.domain.look import Look
from tests.builders import DAY, NOW, SOMEONE, STUCK
from tests.corpus.case import Case
from tests.corpus.parts import NOT_APPLICABLE, job, stuck
from tests.corpus.score import Result
from tests.corpus.strategies import ANY_LOOK, labelled, nearly_labelled

_JSON = TypeAdapter(Diagnosis)
_SLOW = settings(
    deadline=None, max_examples=250, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
_CONFIDENCE = (Confidence.LOW, Confidence.LIKELY, Confidence.CERTAIN)


def changed(look: Look, **values: Any) -> Look:
    """The same look at other evidence, without anything that was worked out for the first."""
    return replace(look, evidence=replace(look.evidence, **values))


@given(ANY_LOOK | nearly_labelled())
@_SLOW
def test_no_evidence_is_too_odd_for_the_engine(look: Look) -> None:
    diagnosis = diagnose(look)
    assert _JSON.dump_python(diagnosis, mode="json") == _JSON.dump_python(diagnose(replace(look)), mode="json")
    assert explain(diagnosis) is not None
    assert diagnosis.healthy or diagnosis.findings
    for finding in diagnosis.findings:
        assert finding.cause in CAUSES
        assert all(text.strip() for text in (finding.sentence, finding.next_step, finding.who))


@given(nearly_labelled())
@_SLOW
def test_automatic_only_where_everything_was_read_and_nothing_is_under_way(look: Look) -> None:
    evidence, head = look.evidence, look.head
    if diagnose(look).disposition is Disposition.AUTO:
        assert not evidence.unread
        assert not evidence.unmapped
        assert not look.live_jobs
        assert head is not None
        assert not head.archived
        assert head.source in (ChangeSource.WORK365, ChangeSource.PORTAL)
        assert head.change_type is not ChangeType.DEACTIVATE
        assert evidence.provider is not None
        assert evidence.provider.readable


# What may come to light, none of which speaks for going on.
def _unread(look: Look) -> Look:
    return changed(look, unread=(*look.evidence.unread, "provider accounts (403)"))


def _unmapped(look: Look) -> Look:
    return changed(look, unmapped={**look.evidence.unmapped, "subscription.statuscode": "7"})


def _environment_unread(look: Look) -> Look:
    environment = look.evidence.environment
    return changed(look, environment=replace(environment, unread=(*environment.unread, "workflows (403)")))


def _live_job(look: Look) -> Look:
    head = look.head.id if look.head else STUCK
    return changed(look, jobs=(*look.evidence.jobs, job(JobStatus.IN_PROGRESS, 5, id="live", change_id=head)))


def _late_live_job(look: Look) -> Look:
    head = look.head.id if look.head else STUCK
    return changed(look, jobs=(*look.evidence.jobs, job(JobStatus.WAITING, 9_000, id="late", change_id=head)))


def _earlier(look: Look) -> Look:
    earlier = stuck(
        id="00", created_on=NOW - 400 * DAY, effective_date=(NOW - 400 * DAY).date(), message="Nobody knows"
    )
    return changed(look, changes=(*look.evidence.changes, earlier))


def _unknown_status(look: Look) -> Look:
    return changed(look, changes=(*look.evidence.changes, stuck(id="01", status=None, created_on=NOW - 400 * DAY)))


def _edited(look: Look) -> Look:
    """A person has set the head to Not Applicable, or has moved our own half-done toggle."""
    head = look.head
    if head is None or not head.quantity:  # closing a price-only change by hand is its solution
        return look
    edited = replace(head, status=NOT_APPLICABLE, modified_by=SOMEONE, etag='W/"777"', modified_on=NOW)
    return changed(look, changes=tuple(edited if c == head else c for c in look.evidence.changes))


def _provider_refuses(look: Look) -> Look:
    return changed(look, provider=ProviderReading(NOW, problem="403"))


def _provider_elsewhere(look: Look) -> Look:
    """The provider shows a number that is neither before nor after."""
    provider = look.evidence.provider
    if provider is None:
        return look
    return changed(look, provider=replace(provider, subscriptions=tuple(
        replace(s, quantity=987_654) for s in provider.subscriptions)))  # fmt: skip


ADVERSE: tuple[Callable[[Look], Look], ...] = (
    _unread,
    _unmapped,
    _environment_unread,
    _live_job,
    _late_live_job,
    _earlier,
    _unknown_status,
    _edited,
    _provider_refuses,
    _provider_elsewhere,
)
NOT_KNOWN = (_unread, _unmapped, _environment_unread, _live_job, _late_live_job, _unknown_status, _provider_refuses)


@pytest.mark.parametrize("worsen", ADVERSE, ids=lambda worsen: worsen.__name__.strip("_"))
def test_adverse_evidence_never_frees(worsen: Callable[[Look], Look], results: list[Result]) -> None:
    """What a person has to decide, or say yes to, stays theirs; and beside what is not known nothing is automatic."""
    freed = [
        result.case.id
        for result in results
        if (result.said.disposition in (Disposition.PERSON, Disposition.APPROVE) or worsen in NOT_KNOWN)
        and diagnose(worsen(result.case.seen)).disposition is Disposition.AUTO
    ]
    assert freed == []


@given(labelled(), st.lists(st.sampled_from(ADVERSE), min_size=2, max_size=4))
@settings(deadline=None, max_examples=250)
def test_several_adverse_things_at_once_never_free(case: Case, worsen: list[Callable[[Look], Look]]) -> None:
    before = diagnose(replace(case.seen)).disposition
    look = reduce(lambda look, worse: worse(look), worsen, case.seen)
    assert not (before is Disposition.PERSON and diagnose(look).disposition is Disposition.AUTO)


_ROWS = ("changes", "scheduled", "jobs", "system_jobs", "accounts_of_customer")


def shuffled(look: Look, random: Random) -> Look:
    """The same rows in another order, wherever there are several."""
    mixed: dict[str, Any] = {name: _mixed(getattr(look.evidence, name), random) for name in _ROWS}
    provider, environment = look.evidence.provider, look.evidence.environment
    if provider is not None:
        mixed["provider"] = replace(provider, subscriptions=_mixed(provider.subscriptions, random))
    for name in ("workflows", "scheduled_jobs", "service_users"):
        environment = replace(environment, **{name: _mixed(getattr(environment, name), random)})
    for name in ("parent", "linked"):
        if (other := getattr(look.evidence, name)) is not None:
            mixed[name] = replace(other, changes=_mixed(other.changes, random))
    return changed(look, environment=environment, **mixed)


def _mixed[Rows: (tuple[Any, ...], None)](rows: Rows, random: Random) -> Rows:
    return None if rows is None else tuple(random.sample(rows, len(rows)))


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_rows_never_matters(seed: int, results: list[Result]) -> None:
    random = Random(seed)  # noqa: S311  no secret
    moved = [r.case.id for r in results if diagnose(shuffled(r.case.seen, random)) != r.said]
    assert moved == []


@given(nearly_labelled(), st.randoms(use_true_random=False))
@_SLOW
def test_the_order_of_any_rows_never_matters(look: Look, random: Random) -> None:
    assert diagnose(shuffled(look, random)) == diagnose(look)


# What can fail to be read, and is then missing with a note of it.
def _without_provider(look: Look) -> Look:
    return changed(look, provider=ProviderReading(look.evidence.read_on, problem="403"), provider_details=None)


def _without_environment(look: Look) -> Look:
    environment = look.evidence.environment
    return changed(look, environment=replace(
        environment, workflows=None, scheduled_jobs=None, service_users=None, last_job_on=None,
        unread=("workflows (403)", "scheduled jobs (403)", "service users (403)", "last job (403)")))  # fmt: skip


def _without_jobs(look: Look) -> Look:
    return changed(look, jobs=(), unread=(*look.evidence.unread, "jobs (403)"))


def _without_accounts(look: Look) -> Look:
    unread = (*look.evidence.unread, "provider accounts (403)")
    return changed(look, accounts_of_customer=None, unread=unread)


def _without_parent(look: Look) -> Look:
    return changed(look, parent=None, ancestors=(), unread=(*look.evidence.unread, "parents (403)"))


def _without_links(look: Look) -> Look:
    return changed(look, linked_at_provider=None, unread=(*look.evidence.unread, "linked subscriptions (403)"))


GAPS = (_without_provider, _without_environment, _without_jobs, _without_accounts, _without_parent, _without_links)


@pytest.mark.parametrize("lose", GAPS, ids=lambda lose: lose.__name__.strip("_"))
def test_what_could_not_be_read_never_reassures(lose: Callable[[Look], Look], results: list[Result]) -> None:
    """No finding is surer for a gap, and nothing is automatic, or healthy, that was not before."""
    surer, freer = [], []
    for result in results:
        less = diagnose(lose(result.case.seen))
        before = {finding.cause: _CONFIDENCE.index(finding.confidence) for finding in result.said.findings}
        surer += [
            f"{result.case.id}: {finding.cause} {finding.confidence}"
            for finding in less.findings
            if _CONFIDENCE.index(finding.confidence) > before.get(finding.cause, len(_CONFIDENCE))
        ]
        if less.disposition != result.said.disposition and less.disposition in (Disposition.AUTO, None):
            freer.append(result.case.id)
    assert (surer, freer) == ([], [])


@given(labelled(), st.sampled_from(list(ChangeType)), st.sampled_from(list(ProvisioningStatus)))
@settings(deadline=None, max_examples=200)
def test_a_gap_in_the_head_is_never_automatic(case: Case, kind: ChangeType, status: ProvisioningStatus) -> None:
    head = case.seen.head
    if head is None:
        return
    for missing in ("quantity", "change_type", "source", "created_on"):
        gap: dict[str, Any] = {"change_type": kind, "status": status, missing: None}
        hole: Change = replace(head, **gap)
        changes = tuple(hole if c == head else c for c in case.seen.evidence.changes)
        diagnosis = diagnose(changed(case.seen, changes=changes))
        head_is_hole = diagnosis.change_id == hole.id
        needs_quantity = missing != "quantity" or kind in (ChangeType.CREATE, ChangeType.UPDATE)
        assert not (head_is_hole and needs_quantity and diagnosis.disposition is Disposition.AUTO)
