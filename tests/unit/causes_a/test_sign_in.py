"""Credentials and consent: what a message says, what the provider's stamps say, and what cures either (rule 4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.causes import consent_expired, credentials_invalid
from shared.domain.diagnosis import diagnose
from shared.domain.evidence import ProviderType
from shared.domain.finding import Confidence
from shared.domain.look import Look
from tests.builders import DAY, HOUR, LATER, MICROSOFT, NOW, look, provisioned, shown, subscription
from tests.unit.causes_a.kit import AUTO, MINUTE, PERSON, WAIT, failed, found, ruled_out

MFA = '{"error":"invalid_grant","error_description":"AADSTS50076: you must use multi-factor authentication"}'
SECRET = '{"error":"invalid_client","error_description":"AADSTS7000222: secret keys are expired"}'
LAPSED = '{"error":"invalid_grant","error_description":"AADSTS700082: The refresh token has expired"}'
NO_RIGHTS = '{"code":900308,"description":"Insufficient privileges to complete the operation."}'
DATAVERSE = "0x80072559: Error from Microsoft Entra ID"

CREDENTIALS, CONSENT = credentials_invalid.look_for, consent_expired.look_for


def at(message: str = "", **stamps: Any) -> Look:
    provider = replace(MICROSOFT, **stamps)
    changes = (provisioned(), failed(message)) if message else ()
    return look(*changes, subscription=subscription(provider=provider))


@pytest.mark.parametrize("message", [MFA, SECRET, NO_RIGHTS, DATAVERSE, "HTTP 401 Unauthorized"])
def test_a_refused_sign_in_is_a_persons(message: str) -> None:
    finding = found(CREDENTIALS, at(message))
    assert (finding.disposition, finding.confidence) == (PERSON, Confidence.CERTAIN)
    assert diagnose(at(message)).cause == "credentials_invalid"
    assert ruled_out(CONSENT, at(message))


def test_mended_and_verified_since_goes_on() -> None:
    finding = found(CREDENTIALS, at(MFA, last_verified_on=NOW - 10 * MINUTE))
    assert (finding.disposition, finding.cured) == (AUTO, True)


@pytest.mark.parametrize(
    "stamps",
    [
        {"last_verified_on": NOW - 2 * HOUR},
        {"last_verified_on": NOW - HOUR},
        {"last_verified_on": NOW - 10 * MINUTE, "connectivity": "failed"},
        {"last_verified_on": NOW - 10 * MINUTE, "connectivity": None},
        {"last_verified_on": None},
        {"last_verified_on": NOW + DAY},
        {"last_verified_on": datetime.max.replace(tzinfo=UTC)},
    ],
    ids=["before", "that moment", "failed", "not known how", "not known when", "in the future", "year 9999"],
)
@pytest.mark.parametrize(("rule", "message"), [(CREDENTIALS, MFA), (CONSENT, LAPSED)])
def test_what_cures_nothing(rule: Any, message: str, stamps: dict[str, Any]) -> None:
    finding = found(rule, at(message, **stamps))
    assert (finding.disposition, finding.cured) == (PERSON, False)


@pytest.mark.parametrize("message", [NO_RIGHTS, DATAVERSE])
def test_a_good_connection_does_not_show_rights_at_one_customer_or_in_dataverse(message: str) -> None:
    finding = found(CREDENTIALS, at(message, last_verified_on=NOW - 10 * MINUTE))
    assert (finding.disposition, finding.cured, finding.confidence) == (PERSON, False, Confidence.LIKELY)
    assert [fact.what for fact in finding.against] == ["Verify Connectivity"]


def test_cured_goes_no_further_than_is_safe() -> None:
    seen = at(MFA, last_verified_on=NOW - 10 * MINUTE)
    for quantity, disposition in ((23, PERSON), (20, AUTO)):
        read = replace(seen, evidence=replace(seen.evidence, provider=shown(quantity)))
        assert found(CREDENTIALS, read).disposition is disposition
    again = replace(seen.evidence.provider, problem="429", transient=True)  # type: ignore[type-var]
    waiting = found(CREDENTIALS, replace(seen, evidence=replace(seen.evidence, provider=again)))
    assert (waiting.disposition, waiting.until) == (WAIT, NOW + 15 * MINUTE)


def test_the_same_complaint_of_a_later_change_after_the_verification_is_live_again() -> None:
    verified = subscription(provider=replace(MICROSOFT, last_verified_on=NOW - 10 * MINUTE))

    def seen(minutes: float, message: str = MFA) -> Look:
        behind = failed(message, minutes, id=LATER, created_on=NOW - 50 * MINUTE)
        return look(provisioned(), failed(MFA), behind, subscription=verified)

    assert found(CREDENTIALS, seen(5)).disposition is PERSON
    assert found(CREDENTIALS, seen(20)).cured
    assert found(CREDENTIALS, seen(5, LAPSED)).cured


class TestStamps:
    """They speak only where no message does."""

    def test_a_failed_connection_is_the_proof(self) -> None:
        seen = at(connectivity="failed", last_verified_on=NOW - HOUR)
        finding = found(CREDENTIALS, seen)
        assert (finding.disposition, finding.confidence) == (PERSON, Confidence.LIKELY)
        assert diagnose(seen).cause == "credentials_invalid"

    def test_not_where_a_message_says_more(self) -> None:
        assert ruled_out(CREDENTIALS, at('{"code":2091}', connectivity="failed"))
        assert ruled_out(CREDENTIALS, at("Nobody knows this one", connectivity="failed"))
        assert ruled_out(CREDENTIALS, at(LAPSED, connectivity="failed"))

    def test_not_where_something_got_through_since(self) -> None:
        stamp = replace(MICROSOFT, connectivity="failed", last_verified_on=NOW - DAY)
        through = provisioned(actual_provisioned_on=NOW - HOUR)
        seen = look(through, failed("", status="awaiting_provisioning"), subscription=subscription(provider=stamp))
        assert ruled_out(CREDENTIALS, seen)

    def test_not_at_a_provider_that_work365_does_not_drive(self) -> None:
        assert ruled_out(CREDENTIALS, at(connectivity="failed", type=ProviderType.MANUAL))

    def test_a_good_or_an_unknown_one_is_no_complaint(self) -> None:
        assert ruled_out(CREDENTIALS, at())
        assert ruled_out(CREDENTIALS, at(connectivity=None, last_verified_on=None))


class TestConsentByDate:
    old = NOW - timedelta(days=100)

    def test_older_than_it_lasts(self) -> None:
        seen = at(consent_on=self.old, last_verified_on=None, connectivity=None)
        finding = found(CONSENT, seen)
        assert (finding.disposition, finding.advice, finding.confidence) == (PERSON, False, Confidence.LIKELY)
        assert diagnose(seen).cause == "consent_expired"

    def test_a_failed_connection_is_explained_by_it_not_by_credentials(self) -> None:
        seen = at(consent_on=self.old, connectivity="failed", last_verified_on=NOW - HOUR)
        assert found(CONSENT, seen)
        assert ruled_out(CREDENTIALS, seen)

    def test_it_lives_as_long_as_it_is_used(self) -> None:
        assert ruled_out(CONSENT, at(consent_on=self.old, last_verified_on=NOW - DAY))
        doubtful = found(CONSENT, at(consent_on=self.old, last_verified_on=NOW - 12 * DAY))
        assert doubtful.confidence is Confidence.LOW
        assert doubtful.against

    def test_near_its_end_it_is_advice_that_holds_nothing_back(self) -> None:
        seen = at(consent_on=NOW - timedelta(days=80))
        assert found(CONSENT, seen).advice
        assert (diagnose(seen).cause, diagnose(seen).disposition) == ("trigger_missed", AUTO)

    def test_well_inside_not_known_another_provider_or_year_9999(self) -> None:
        assert ruled_out(CONSENT, at())
        assert ruled_out(CONSENT, at(consent_on=None))
        assert ruled_out(CONSENT, at(consent_on=self.old, connector="pax8"))
        assert ruled_out(CONSENT, at(consent_on=datetime.max.replace(tzinfo=UTC)))
        assert ruled_out(CONSENT, at('{"code":2091}', consent_on=self.old, last_verified_on=None))


def test_without_a_provider_it_is_still_what_the_message_says() -> None:
    seen = look(provisioned(), failed(LAPSED), subscription=subscription(provider=None))
    assert found(CONSENT, seen).disposition is PERSON
