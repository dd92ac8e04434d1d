"""Work 365's own application user in Dataverse is disabled or lacks its roles."""

from shared.domain.automation import broken_system_job, refuses_user
from shared.domain.complaints import Words, by_hand, complains, person
from shared.domain.evidence import ServiceUser
from shared.domain.finding import Confidence, Disposition, Fact, Finding, RuledOut
from shared.domain.look import Look

NAME = "service_user_not_ready"

REQUIRED_ROLES = frozenset({"Work 365 Service", "Work 365 Portal Service"})
_REQUIRED = {role.casefold(): role for role in REQUIRED_ROLES}
_EVERYTHING = "system administrator"

_WHO = "Power Platform administrator"
_WORDS = Words(
    NAME,
    trouble="Dataverse refuses what Work 365's own user wants to do",
    over="",
    who=_WHO,
)


def look_for(look: Look) -> Finding | RuledOut:
    if look.head is None:
        return RuledOut(NAME, "no change is unprovisioned")
    users = look.evidence.environment.service_users
    ready = any(_problem(user) == "" for user in users or ())
    if complains(look, NAME):
        return person(look, _WORDS, proof=_facts(look) if not ready else (), against=_facts(look) if ready else ())
    if by_hand(look):
        return RuledOut(NAME, "the provider is not driven by Work 365's user")
    if (refusal := _refusal(look)) is not None:
        return _refused(refusal, _facts(look) if ready else ())
    if users is None:
        return RuledOut(NAME, "no message says so, and Work 365's user could not be read")
    if not users:
        return _missing(look)
    if ready:
        return RuledOut(NAME, "Work 365's user is enabled and has its roles")
    known = [user for user in users if _problem(user)]
    if not known:
        return RuledOut(NAME, "no message says so, and what is known of Work 365's user is not enough to tell")
    return _not_ready(look, known)


def _problem(user: ServiceUser) -> str | None:
    """What the user lacks: nothing is "", and None is not known."""
    if user.enabled is False:
        return "is disabled"
    if user.roles is None:
        return None
    missing = sorted(_REQUIRED[role] for role in _REQUIRED.keys() - {r.strip().casefold() for r in user.roles})
    if missing:
        return f"lacks the security role {' and '.join(missing)}"
    return "" if user.enabled else None


def _missing(look: Look) -> Finding:
    """Looked for by the application ids that are known; an environment may use another."""
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LOW,
        sentence="Work 365 has no application user in this environment, as far as can be seen.",
        next_step="In the Power Platform admin center, add the application user of Work 365 and give it the roles "
        f"{' and '.join(sorted(REQUIRED_ROLES))}; if it has another application id, add that to the schema map.",
        who=_WHO,
        proof=(look.fact("Work 365's user", "none found", "system_user"),),
    )


def _not_ready(look: Look, users: list[ServiceUser]) -> Finding:
    """No user of Work 365 is ready. Where another one's state is not known, that one may be."""
    troubles = [f"{user.name or user.id} {_problem(user)}" for user in sorted(users, key=lambda u: u.id)]
    everyone = len(users) == len(look.evidence.environment.service_users or ())
    against = tuple(fact for user in users if user.enabled and (fact := _may_do_all(look, user)) is not None)
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.CERTAIN if everyone and not against else Confidence.LIKELY,
        sentence=f"Work 365 cannot work in this environment: its own user {'; '.join(troubles)}.",
        next_step="In the Power Platform admin center, open the application user of Work 365: enable it and give it "
        f"the roles {' and '.join(sorted(REQUIRED_ROLES))}.",
        who=_WHO,
        proof=_facts(look),
        against=against,
    )


def _may_do_all(look: Look, user: ServiceUser) -> Fact | None:
    """A System Administrator lacks no privilege, whatever roles it does not have."""
    roles = {role.strip().casefold() for role in user.roles or ()}
    return _fact(look, user) if _EVERYTHING in roles else None


def _refusal(look: Look) -> Fact | None:
    """The text of a System Job of this change, or of a scheduled job's last run, that says so."""
    job = broken_system_job(look)
    if job is not None and refuses_user(job.message):
        return look.fact("System Job", job.message[:500], f"system_job:{job.id}")
    for run in look.evidence.environment.scheduled_jobs or ():
        if refuses_user(run.last_result):
            return look.fact(f"last result of {run.name}", run.last_result[:500], f"scheduled_job:{run.id}")
    return None


def _refused(refusal: Fact, against: tuple[Fact, ...]) -> Finding:
    return Finding(
        cause=NAME,
        disposition=Disposition.PERSON,
        confidence=Confidence.LIKELY if against else Confidence.CERTAIN,
        sentence="Dataverse refused what Work 365's own user wanted to do.",
        next_step="In the Power Platform admin center, open the application user of Work 365 and give it its roles.",
        who=_WHO,
        proof=(refusal,),
        against=against,
    )


def _facts(look: Look) -> tuple[Fact, ...]:
    users = look.evidence.environment.service_users or ()
    return tuple(_fact(look, user) for user in sorted(users, key=lambda user: user.id))


def _fact(look: Look, user: ServiceUser) -> Fact:
    state = {True: "enabled", False: "disabled", None: "enabled or not is not known"}[user.enabled]
    roles = "not known" if user.roles is None else ", ".join(sorted(user.roles)) or "none"
    return look.fact("Work 365's user", f"{user.name or user.id}: {state}; roles: {roles}", f"system_user:{user.id}")
