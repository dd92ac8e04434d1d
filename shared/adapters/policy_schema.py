"""The JSON schema of the policy file, for editors.

python -m shared.adapters.policy_schema > docs/policy.schema.json
"""

import json
import sys

from shared.adapters.policy_file import PolicyFile


def schema() -> str:
    """The schema as it stands in docs/policy.schema.json."""
    made = {"$schema": "https://json-schema.org/draft/2020-12/schema", **PolicyFile.model_json_schema(by_alias=True)}
    return json.dumps(made, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
