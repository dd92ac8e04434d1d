"""Codes as they come: in JSON, in JSON within JSON, in HTML, in other languages, in curly quotes, cut off, or none."""

import html
import json
from collections.abc import Callable

from shared.domain.evidence import JobStatus
from shared.domain.finding import Disposition
from shared.domain.look import Look
from tests.corpus.case import APPROVE, AUTO, PERSON, WAIT, Case, case
from tests.corpus.parts import failed, job, old, see, stuck

SHAPES: dict[str, Callable[[str, str], str]] = {
    "Partner Center": lambda code, text: json.dumps(
        {"code": code, "description": text, "data": [], "source": "PartnerFD"}
    ),
    "nested": lambda code, text: json.dumps(
        {"error": {"code": "BadRequest", "innererror": {"code": code, "message": text}}}
    ),
    "JSON in JSON": lambda code, text: json.dumps({"Message": json.dumps({"code": code, "description": text})}),
    "HTML": lambda code, text: f"<p>Error code</p>: <b>{code}</b><br/>{html.escape(text)}",
    "entities": lambda code, text: html.escape(json.dumps({"code": code, "description": text})),
    "German": lambda code, _: f"Der Vorgang ist fehlgeschlagen. Fehlercode: {code}",
    "French": lambda code, _: f"L\u2019op\u00e9ration a \u00e9chou\u00e9. Code d\u2019erreur : {code}",
    "Spanish": lambda code, _: f"No se pudo completar. C\u00f3digo de error: {code}",
    "Japanese": lambda code, _: f"\u30a8\u30e9\u30fc\u30b3\u30fc\u30c9\uff1a{code}",
    "curly quotes": lambda code, text: (
        f"{{\u201ccode\u201d:\u201c{code}\u201d,\u201cdescription\u201d:\u201c{text}\u201d}}"
    ),
    "cut off behind the code": lambda code, text: json.dumps({"code": code, "description": text})[: 26 + len(code)],
    "control characters": lambda code, text: f'\x00\x07{{"code":"{code}","description":"{text}"}}\x1b',
    "a script beside it": lambda code, _: f"<script>alert(1)</script><p>Failed with error code {code}</p>",
}
_CODES: dict[str, tuple[str, str, tuple[Disposition, ...]]] = {
    "13605": ("customer_agreement_missing", "accept the agreement", (PERSON,)),
    "800091": ("subscription_state_blocked", "suspended status", (PERSON, WAIT)),
    "800023": ("credit_or_risk_hold", "credit line", (PERSON,)),
    "900278": ("provider_operation_pending", "pending operation", (WAIT,)),
    "60003": ("provider_account_mismatch", "tenant", (PERSON, APPROVE)),
    "2091": ("offer_unavailable", "no longer", (PERSON,)),
    "800067": ("quantity_cap_exceeded", "seat count", (PERSON,)),
    "27009": ("parent_not_provisioned", "child", (PERSON,)),
}
_LONG = "x" * 5_000


def _shaped(shape: str, code: str) -> Case:
    cause, text, allowed = _CODES[code]
    return case(
        f"{code} as {shape}",
        "the code decides, in whatever it comes",
        see(old(), failed(SHAPES[shape](code, text))),
        cause,
        *allowed,
        never=["unknown"] if cause != "provider_account_mismatch" else [],
    )


def _nobody_knows(id: str, text: str) -> Case:
    return case(
        f"not understood: {id}",
        "an unknown code is unknown with the text kept whole, never a near guess",
        see(old(), failed(text)),
        "unknown",
        PERSON,
    )


def _means(id: str, text: str, cause: str, *allowed: Disposition, seen: Look | None = None) -> Case:
    return case(id, "what the text carries decides", seen or see(old(), failed(text)), cause, *allowed)


_NOT_READY = "Subscription is not ready to be updated. Try again after sometime"

# fmt: off
CASES = [
    *(_shaped(shape, code) for number, shape in enumerate(SHAPES) for code in list(_CODES)[number % 2 :: 2]),
    _nobody_knows("a number", '{"code":"987654","description":"Something new"}'),
    _nobody_knows("a number beside known words", f'{{"code":"987654","description":"{_NOT_READY}"}}'),
    _nobody_knows("a number of Entra", "AADSTS999999: something new"),
    _nobody_knows("two codes of two causes", "code 800082 then code 900257"),
    _nobody_knows("two codes in a list", '[{"code":"800082"},{"code":"900257"}]'),
    _nobody_knows("a code that is cut off", '{"error":{"code":"8000'),
    _nobody_knows("a code cut off by dots", f'{{"code":"8000\u2026","description":"{_NOT_READY}"}}'),
    _nobody_knows("a grant cut off", '{"error":"invalid_grant","error_description":"AADSTS70001'),
    _nobody_knows("two known texts of two causes", f"{_NOT_READY}. Tenant not found."),
    _nobody_knows("seats that look like a code", "Customer has seats (800082)"),
    _nobody_knows("a trace id", "trace id 80008200-aadb-4290-8000-900257900257"),
    _nobody_knows("a date", "Failed on 2026-04-29 at 04:29 with v8.0.0.82"),
    _nobody_knows("a documented code that proves nothing", '{"code":"900219","description":"x"}'),
    _nobody_knows("five thousand letters", _LONG),
    _nobody_knows("only markup", "<script>alert('800090')</script>"),
    _nobody_knows(
        "another language without a code", "Die Bereitstellung ist aus unbekannten Gr\u00fcnden fehlgeschlagen.",
    ),
    _nobody_knows("access denied without a place", '{"error":"access_denied"}'),
    _means(
        "the inner one of two codes", '{"code":"900192","description":"No. {\\"code\\":\\"900278\\"}"}',
        "provider_operation_pending", WAIT,
    ),
    _means("two codes of one cause", "code 800023 and code 800025", "credit_or_risk_hold", PERSON),
    _means("a code around 5,000 letters", f"{_LONG} (800067) {_LONG}", "quantity_cap_exceeded", PERSON),
    _means("a megabyte before the code", f"{'y' * 1_000_000} AADSTS50076: multi-factor", "credentials_invalid", PERSON),
    _means(
        "a wrong catalogue id in the words of a limit",
        '{"code":800089,"description":"The requested number of 1 asset/s exceeded the remaining limit of 0 assets"}',
        "quantity_cap_exceeded", PERSON,
    ),
    _means(
        "a plug-in around the provider's words", f'{{"error":{{"code":"0x80040265","message":"{_NOT_READY}"}}}}',
        "provider_operation_pending", AUTO, WAIT,
    ),
    _means(
        "the job's result where the change has none", "", "quantity_cap_exceeded", PERSON,
        seen=see(old(), stuck(), jobs=(job(JobStatus.FAILED, 50, results='{"code":"800067"}'),)),
    ),
    _means(
        "the newest job's result", "", "credit_or_risk_hold", PERSON,
        seen=see(
            old(), stuck(),
            jobs=(
                job(JobStatus.FAILED, 55, results='{"code":"800067"}'),
                job(JobStatus.FAILED, 45, id="newer", results='{"code":"800023"}'),
            ),
        ),
    ),
    _means(
        "the change's own text before its job's", "", "offer_unavailable", PERSON,
        seen=see(old(), failed('{"code":"2091"}'), jobs=(job(JobStatus.FAILED, 60, results='{"code":"800067"}'),)),
    ),
    _means("blanks for a text", "", "trigger_missed", AUTO, seen=see(old(), stuck(message=" \n\t "))),
    _means(
        "a reduction's code in a cut-off text", "", "reduction_window_closed", APPROVE, PERSON,
        seen=see(old(), failed('{"code":"900257","description":"You have passed your 7-da', 60, -5)),
    ),
]
