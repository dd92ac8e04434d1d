"""Where the policy comes from: a file that is read again whenever it has changed.

    file → text → PolicyFile → Policy       or, when anything is wrong with it:
    file → problems → Policy in observe mode, which says what is wrong and writes nothing

The last valid policy is never used in place of an invalid one: its operator has meant something else since.
"""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.adapters.policy_file import BreakerPart, CapsPart, ExemptionPart, PolicyFile, QuietPart, RecurrencePart
from shared.domain.policy import Mode, Policy

log = logging.getLogger(__name__)

LONGEST = 1024 * 1024
"""Bytes. A policy of a thousand exemptions is a quarter of that."""


class PolicySource:
    """The policy of one process. Without a file it is the built-in one."""

    def __init__(self, path: str | None, base: Policy) -> None:
        """`base` holds what the app settings say: the mode, the times and the attempts."""
        self._path = Path(path) if path else None
        self._base = base
        self._digest = b""
        self._policy = base
        self._slow: Policy | None = None

    def current(self) -> Policy:
        """The policy as the file says it now. Raises nothing: what is wrong is in `problems`."""
        if self._path is None:
            return self._base
        try:
            content = _content(self._path)
        except OSError as error:
            self._take(b"", self._unusable([f"the file cannot be read ({error.strerror})"]))
            return self._policy
        # The whole content is compared: a file may change within a tick of its modification time, and keep its size.
        digest = hashlib.sha256(content).digest()
        if digest != self._digest:
            self._take(digest, self._read(content))
        return self._policy

    def too_slow(self, seconds: float) -> Policy:
        """The policy to go on with while the file is still being read, after so many seconds."""
        policy = self._unusable([f"the file could not be read within {seconds:g} s: see whether its share answers"])
        if self._slow != policy:
            log.error("Nothing is written to Dataverse: %s", policy.broken)
            self._slow = policy
        return self._slow

    def _read(self, content: bytes) -> Policy:
        if len(content) > LONGEST:
            return self._unusable([f"the file is longer than {LONGEST:,} bytes"])
        try:
            return read_policy(content.decode("utf-8-sig"), self._base)
        except UnicodeDecodeError:
            return self._unusable(["the file is not UTF-8"])
        except PolicyInvalid as error:
            return self._unusable(error.problems)

    def _unusable(self, problems: Sequence[str]) -> Policy:
        named = tuple(f"UNSTUCK_POLICY: {problem}" for problem in problems)
        return replace(self._base, mode=Mode.OBSERVE, version="invalid", problems=named)

    def _take(self, digest: bytes, policy: Policy) -> None:
        """Says once that it is broken, and once that it is mended."""
        if policy.problems and policy.problems != self._policy.problems:
            log.error("Nothing is written to Dataverse: %s", policy.broken)
        if not policy.problems:
            log.info("Policy %s is in force", policy.version)
        self._digest, self._policy = digest, policy


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LONGEST + 1)


class PolicyInvalid(ValueError):
    """The file is no policy. `problems` has one sentence for each place that is wrong; values are not shown."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


def read_policy(text: str, base: Policy) -> Policy:
    """The policy in the text of a file, on top of what the app settings say. Raises PolicyInvalid."""
    try:
        json.loads(text, object_pairs_hook=_no_name_twice)
        file = PolicyFile.model_validate_json(text)
    except ValidationError as error:
        raise PolicyInvalid([_problem(dict(each)) for each in error.errors(include_url=False)]) from None
    except _Twice as error:
        raise PolicyInvalid([str(error)]) from None
    except (ValueError, RecursionError) as error:
        raise PolicyInvalid([f"is not JSON: {error}"]) from None
    return file.policy(base, _version(file))


def _version(file: PolicyFile) -> str:
    """Over what the file means: neither its spacing nor the order of its names make another policy."""
    text = json.dumps(file.model_dump(mode="json", exclude={"schema_"}), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class _Twice(ValueError):
    """A name that an object holds twice. JSON lets the last of two win, without a word."""


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _Twice(f"{twice[:60]} is there twice in one object: leave one of them")
    return dict(pairs)


def _problem(error: dict[str, Any]) -> str:
    where = ".".join(str(part)[:60] for part in error["loc"] if part != "[key]")
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if error["type"] == "extra_forbidden":
        message = f"is not known here; there are {', '.join(_names_at(error['loc']))}"
    elif error["type"] == "missing":
        message = "is missing"
    return f"{where or 'the whole'} {message}"


_PARTS: Mapping[str, type[BaseModel]] = {
    "caps_per_hour": CapsPart,
    "breaker": BreakerPart,
    "recurrence": RecurrencePart,
    "quiet": QuietPart,
    "exemptions": ExemptionPart,
}


def _names_at(where: tuple[int | str, ...]) -> list[str]:
    """The fields that there are where an unknown one was found."""
    part = _PARTS.get(str(where[0]), PolicyFile) if len(where) > 1 else PolicyFile
    return [field.alias or name for name, field in part.model_fields.items()]
