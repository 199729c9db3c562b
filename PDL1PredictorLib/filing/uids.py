"""UIDs that are derived: the same content of the same study gets the same UID, wherever and whenever it is made."""

import hashlib
import uuid

_NAMESPACE = uuid.UUID("5c0b8f3e-6d0f-5d53-9a53-0f5f4a2f6b1c")  # of this library's objects, drawn once


def derived_uid(*parts: str | bytes) -> str:
    """A UID below 2.25 from the content that it names.

    Args:
        parts: What makes the object what it is: kind, series of the CT, content. The clock is no part of it, so that
            an archive which is handed the same answer twice keeps it once.

    Returns:
        At most 44 characters.

    Source: DICOM PS3.5, B.2 (UUID derived UID); RFC 9562, 5.5 (UUID of a name).
    """
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8") if isinstance(part, str) else part
        digest.update(len(content).to_bytes(8, "little") + content)  # so that ("ab", "c") is not ("a", "bc")
    return f"2.25.{uuid.uuid5(_NAMESPACE, digest.hexdigest()).int}"
