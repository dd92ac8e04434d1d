"""Sign-in and consent at the provider: live complaints, cured ones, both at once, and what only looks like either."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domain.evidence import ProviderRow
from shared.domain.intent import Attempt
from shared.domain.look import Look
from tests.builders import DAY, HOUR, NOW, STUCK
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import FAILED, MICROSOFT, MINUTE, failed, later, old, seats, see, stuck, sub, unreadable


def entra(number: int, text: str, error: str = "invalid_grant") -> str:
    """What Entra answers: the number inside tells more than the word around it."""
    return json.dumps({"error": error, "error_description": f"AADSTS{number}: {text}", "error_codes": [number]})


CONSENT = {
    "inactive for 90 days": entra(700082, "The refresh token has expired due to inactivity."),
    "revoked": entra(50173, "The provided grant has expired due to it being revoked."),
    "expired or revoked": entra(70008, "The refresh token has expired due to inactivity."),
    "never consented": entra(65001, "The user or administrator hasn't consented to use the application"),
    "sign-in frequency": entra(70043, "The refresh token has expired or is invalid due to sign-in frequency checks"),
    "malformed token": entra(70000, "Transmission data parser failure: Refresh Token is malformed or invalid."),
    "application not in the tenant": entra(700016, "Application with identifier 'x' was not found in the directory"),
    "admin consent": entra(90094, "AdminConsentRequired", "consent_required"),
    "bare grant": '{"error":"invalid_grant"}',
}
SIGN_IN = {
    "MFA": entra(50076, "you must use multi-factor authentication to access"),
    "MFA expired": entra(50078, "Presented multi-factor authentication has expired"),
    "MFA to enrol": entra(50079, "user is required to use multifactor authentication", "interaction_required"),
    "secret expired": entra(7000222, "The provided client secret keys are expired.", "invalid_client"),
    "secret wrong": entra(7000215, "Invalid client secret is provided.", "invalid_client"),
    "password": entra(50126, "Error validating credentials due to invalid username or password."),
    "user disabled": entra(50057, "The user account is disabled."),
    "Conditional Access": entra(53003, "Access has been blocked by Conditional Access policies."),
    "audience": '{"code":900420,"description":"The audience in the token is invalid"}',
    "access denied": "Access denied (2032)",
}


def _verified(ago: timedelta, connectivity: str = "verified", **values: Any) -> ProviderRow:
    return replace(MICROSOFT, last_verified_on=NOW - ago, connectivity=connectivity, **values)


def _with(row: ProviderRow, message: str, minutes: float = 60, **values: Any) -> Look:
    return see(old(), failed(message, minutes), subscription=sub(provider=row), **values)


_SINCE, _BEFORE = _verified(10 * MINUTE, consent_on=NOW - 11 * MINUTE), _verified(2 * HOUR)


def _live(cause: str, name: str, message: str) -> Case:
    return case(
        f"{cause}: {name}", "the code, newer than the last verification", _with(_BEFORE, message), cause, PERSON
    )


def _cured(cause: str, name: str, message: str) -> Case:
    return case(
        f"{cause}, verified since: {name}",
        "rule 4: older than the last successful verification",
        _with(_SINCE, message),
        cause,
        AUTO,
    )


def _both(cause: str, message: str) -> list[Case]:
    """What every complaint about sign-in has in common."""
    again = (Attempt(STUCK, NOW - 2 * HOUR, "unstuck", message_before=message),)
    return [
        case(
            f"{cause}: verified at the very moment",
            "not newer than the complaint: cures nothing",
            _with(_verified(HOUR), message),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: verification failed since",
            "only a successful one cures",
            _with(_verified(5 * MINUTE, "failed"), message),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: how the verification ended is not known",
            "not known is not successful",
            _with(replace(_SINCE, connectivity=None), message),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: when it was verified is not known",
            "without a date nothing is cured",
            _with(replace(_SINCE, last_verified_on=None), message),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: when the message was left is not known",
            "without a date nothing is cured",
            see(old(), failed(message, modified_on=None), subscription=sub(provider=_SINCE)),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: cured, and the same text after our retrigger",
            "rule 5: no second try",
            _with(_SINCE, message, attempts=again),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: cured, and the provider unreadable",
            "rule 1: approve at most",
            _with(_SINCE, message, provider=unreadable("403")),
            cause,
            APPROVE,
            PERSON,
        ),
        case(
            f"{cause}: cured, and the provider throttles",
            "ask again in a moment",
            _with(_SINCE, message, provider=unreadable("429", transient=True)),
            cause,
            WAIT,
            APPROVE,
            PERSON,
        ),
        case(
            f"{cause}: cured, and neither number at the provider",
            "seats moved there meanwhile: a person",
            _with(_SINCE, message, provider=seats(23)),
            cause,
            PERSON,
        ),
        case(
            f"{cause}: cured, and suspended at the provider",
            "a cured complaint beside a live obstacle",
            _with(_SINCE, message, provider=seats(20, status="suspended")),
            cause,
            PERSON,
            also=["subscription_state_blocked"],
        ),
        case(
            f"{cause}: cured here, live again behind it",
            "the later change complains after the verification",
            see(
                old(),
                failed(message, 120),
                later(2, 5, status=FAILED, message=message),
                subscription=sub(provider=_SINCE),
            ),
            cause,
            PERSON,
            APPROVE,
            WAIT,
            also=["prior_change_blocking"],
        ),
        case(
            f"{cause}: cured, later ones wait behind it",
            "the head goes, the others follow",
            see(old(), failed(message), later(), subscription=sub(provider=_SINCE)),
            cause,
            AUTO,
            also=["prior_change_blocking"],
        ),
        case(
            f"{cause}: with a next-term instruction",
            "a mid-term change would delete it: approve",
            _with(_SINCE, message, provider=seats(20, has_next_term_instructions=True)),
            cause,
            APPROVE,
            PERSON,
        ),
    ]


_LAPSED = replace(MICROSOFT, consent_on=NOW - 100 * DAY, last_verified_on=NOW - 98 * DAY)

# fmt: off
CASES = [
    *(_live("consent_expired", name, message) for name, message in CONSENT.items()),
    *(_live("credentials_invalid", name, message) for name, message in SIGN_IN.items()),
    *(_cured("consent_expired", name, message) for name, message in list(CONSENT.items())[:3]),
    *(_cured("credentials_invalid", name, message) for name, message in list(SIGN_IN.items())[:4]),
    *_both("consent_expired", CONSENT["inactive for 90 days"]),
    *_both("credentials_invalid", SIGN_IN["MFA"]),
    case(
        "Verify Connectivity failed and nothing says more", "no message: the stamp is the proof",
        see(subscription=sub(provider=_verified(HOUR, "failed"))), "credentials_invalid", PERSON,
    ),
    case(
        "Verify Connectivity failed, the message speaks of consent", "the code decides, never two for one complaint",
        _with(_verified(30 * MINUTE, "failed"), CONSENT["revoked"]), "consent_expired", PERSON,
        never=["credentials_invalid"],
    ),
    case(
        "consent is past its 90 days", "given and used a hundred days ago, and nothing says more",
        see(subscription=sub(provider=_LAPSED)), "consent_expired", PERSON, also=["consent_expired"],
    ),
    case(
        "consent of ten days ago", "well inside its 90 days", see(), "trigger_missed", AUTO,
        never=["consent_expired"],
    ),
    case(
        "verified this morning", "a good stamp is no complaint", see(subscription=sub(provider=_verified(5 * HOUR))),
        "trigger_missed", AUTO, never=["credentials_invalid"],
    ),
    case(
        "invalid_grant around MFA", "the number inside decides, not the word around it",
        _with(_BEFORE, SIGN_IN["MFA"]), "credentials_invalid", PERSON, never=["consent_expired"],
    ),
    case(
        "invalid_grant around a number that nobody knows", "an unknown code is unknown, whatever wraps it",
        _with(_BEFORE, entra(123456, "Something new")), "unknown", PERSON,
        never=["consent_expired", "credentials_invalid"],
    ),
    case(
        "invalid_grant around a service that is not available", "Entra's own outage is no lapse of consent",
        _with(_BEFORE, entra(90033, "The Microsoft Online Directory Service isn't available"), 5),
        "provider_unavailable", WAIT, never=["consent_expired"],
    ),
    case(
        "two complaints in one text", "MFA and expiry contradict each other: not understood",
        _with(_BEFORE, f"{SIGN_IN['MFA']} {CONSENT['revoked']}"), "unknown", PERSON,
        never=["consent_expired", "credentials_invalid"],
    ),
    case(
        "another text after our retrigger", "a new complaint is judged by itself, and this one is live",
        _with(_BEFORE, CONSENT["revoked"], attempts=(Attempt(STUCK, NOW - 2 * HOUR, "unstuck", "Tenant not found"),)),
        "consent_expired", PERSON,
    ),
    case(
        "no provider row to be verified", "nothing could have been verified",
        see(old(), failed(CONSENT["revoked"]), subscription=sub(provider=None)), "consent_expired", PERSON,
        also=["provider_account_mismatch"],
    ),
    case(
        "failed without a word, verified long before", "no text says why: not understood",
        see(old(), stuck(status=FAILED)), ("unknown", "credentials_invalid"), PERSON,
    ),
]
