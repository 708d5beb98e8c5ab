"""Juju's secrets, by their ids."""

from collections.abc import Collection, Mapping

import ops

from mistakes import Mistakes
from workload import Secret

# What a credential may hold: a line of text, which is sent as it is.
LONGEST = 64 * 1024


def read(model: ops.Model, secret_id: str, app: str) -> Mapping[str, Secret]:
    """Give the newest content of a secret of the user's, key by key.

    Raises:
        Mistakes: where it is not there, or not granted to this application, or holds what is no credential.
    """
    return _read(model, secret_id, f"not granted to {app}, or gone; run `juju grant-secret NAME {app}`", None)


def read_of(other: str, model: ops.Model, secret_id: str, keys: Collection[str]) -> Mapping[str, Secret]:
    """Give the newest content of a secret of another application's, of these keys alone.

    Raises:
        Mistakes: as `read`.
    """
    return _read(model, secret_id, f"not granted by {other}, or gone; see why there, or integrate it anew", keys)


def _read(model: ops.Model, secret_id: str, missing: str, keys: Collection[str] | None) -> Mapping[str, Secret]:
    try:
        content = model.get_secret(id=secret_id).get_content(refresh=True)
    except (ops.SecretNotFoundError, ops.ModelError):
        # What Juju says of the two is the same for who may not see it.
        raise Mistakes(f"the secret {secret_id} is {missing}") from None
    if keys is not None:
        content = {key: text for key, text in content.items() if key in keys}
    wrong = [
        f"the secret {secret_id}: {key} is no line of text; write the secret alone, on one line"
        for key, text in sorted(content.items())
        if not is_line(text)
    ]
    if wrong:
        raise Mistakes(*wrong)
    # As `juju add-secret NAME key#file=…` has it, the file's last newline is there.
    return {key: Secret(text.strip("\r\n")) for key, text in content.items()}


def is_line(text: str) -> bool:
    """Say whether a credential may hold it; a line's end after it does not count."""
    line = text.strip("\r\n")
    return bool(line) and len(line.encode()) <= LONGEST and all(ord(c) >= 0x20 and ord(c) != 0x7F for c in line)
