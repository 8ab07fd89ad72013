"""A large file in parts: cut, checked and hashed in one reading, and what the database knows of each part."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta
from io import BufferedReader
from operator import methodcaller
from typing import Any, Final

from django.db import transaction

from clio_sync import vault
from clio_sync.api import wire
from clio_sync.api.client import MOST_PARTS
from clio_sync.api.secret import Secret
from clio_sync.claims import renew
from clio_sync.clock import database_now
from clio_sync.filing.pulse import Pulse
from clio_sync.filing.work import Work
from clio_sync.models import Delivery, DeliveryPart
from clio_sync.vault import Binding

FROM_BYTES: Final = 10**8
"""Clio's guide suggests parts from about 100 MB."""
LEAST_PART: Final = 16 * 1024 * 1024
"""Storage takes no part below 5 MiB but the last; smaller ones than this are more requests and no faster."""
NEAR_DEADLINE: Final = timedelta(seconds=15)
"""A signed address that ends sooner is replaced first. Storage looks at it when a transfer begins."""

_MIB: Final = 1024 * 1024
_NOT_ADDRESSED: Final[dict[str, Any]] = {"put_url_sealed": b"", "put_headers": [], "put_deadline": None}


def is_large(size: int) -> bool:
    """Whether a file of this many bytes goes in parts."""
    return size >= FROM_BYTES


def part_size(size: int) -> int:
    """Whole mebibytes, and as many as it takes for one call to announce all the parts."""
    return max(LEAST_PART, -(-size // (MOST_PARTS * _MIB)) * _MIB)


def cut(work: Work) -> list[DeliveryPart]:
    """The approved bytes as parts, hashed in the very reading that finds them to be the approved ones.

    So parts that are sent with these hashes make up the approved file, and it need not be read as a whole
    again. Raises Stopped when the file is missing or is another one.
    """
    whole, pulse = hashlib.sha256(), Pulse(work)
    with work.open_bytes() as file, ThreadPoolExecutor(2) as pool:
        parts = []
        for number, (offset, length) in enumerate(_cuts(work.approval.size), 1):
            part = DeliveryPart(delivery=work.delivery, number=number, offset=offset, length=length)
            part.sha256, part.md5 = _hash_part(file, length, whole, pool)
            parts.append(part)
            pulse.beat()
        whole.update(file.read(1))  # a longer file is another one
    work.require_approved(whole.hexdigest())
    return parts


def keep(delivery: Delivery, parts: Sequence[DeliveryPart]) -> None:
    """These parts and no others are the file, in a transaction that holds the delivery's fence."""
    delivery.parts.all().delete()
    DeliveryPart.objects.bulk_create(parts)


def plans(parts: Iterable[DeliveryPart]) -> list[wire.PartPlan]:
    """As they are announced to Clio."""
    return [wire.PartPlan(part.number, part.length, part.md5) for part in parts]


def keep_addresses(delivery: Delivery, given: Sequence[wire.Part]) -> None:
    """Where the parts go, as the rows keep it, in a transaction that holds the delivery's fence."""
    if not given:
        return
    rows = {part.number: part for part in delivery.parts.filter(number__in=[one.number for one in given])}
    for one in given:
        row, binding = rows[one.number], Binding.part_url(delivery.pk, number=one.number)
        row.clio_version_uuid = delivery.clio_version_uuid
        row.put_url_sealed = vault.seal(one.put_url, binding=binding)
        row.put_headers = [list(header) for header in one.put_headers]
        row.put_deadline = one.put_deadline
        row.etag, row.sent_at = "", None
    DeliveryPart.objects.bulk_update(
        rows.values(), ["clio_version_uuid", *_NOT_ADDRESSED, "etag", "sent_at"], batch_size=MOST_PARTS
    )


def address_of(delivery: Delivery, part: DeliveryPart, *, now: datetime) -> Secret | None:
    """Where this part goes, if that is known and good for a while yet."""
    deadline = part.put_deadline
    if not part.put_url_sealed or deadline is None or deadline - NEAR_DEADLINE < now:
        return None
    if not is_announced(delivery, part):
        return None
    try:
        return vault.open_sealed(
            part.put_url_sealed, binding=Binding.part_url(delivery.pk, number=part.number)
        )
    except vault.Unsealable:
        return None


def is_announced(delivery: Delivery, part: DeliveryPart) -> bool:
    """Whether Clio was told of it for the version under way."""
    return part.clio_version_uuid == delivery.clio_version_uuid


def is_sent(delivery: Delivery, part: DeliveryPart) -> bool:
    return part.sent_at is not None and is_announced(delivery, part)


def forget_addresses(delivery: Delivery) -> None:
    """Storage does not take them any more."""
    with transaction.atomic():
        renew(delivery)
        delivery.parts.update(**_NOT_ADDRESSED)


def record_sent(delivery: Delivery, part: DeliveryPart, *, etag: str, bytes_sent: int) -> None:
    """This part is in storage, and its address of no more use. Raises LostClaim."""
    with transaction.atomic():
        renew(delivery, bytes_sent=bytes_sent, unended_claims=1)
        part.etag, part.sent_at = etag[:80], database_now()
        for name, nothing in _NOT_ADDRESSED.items():
            setattr(part, name, nothing)
        part.save(update_fields=["etag", "sent_at", *_NOT_ADDRESSED])


def _cuts(size: int) -> Iterator[tuple[int, int]]:
    step = part_size(size)
    for offset in range(0, size, step):
        yield offset, min(step, size - offset)


def _hash_part(file: BufferedReader, length: int, whole: hashlib._Hash, pool: Executor) -> tuple[str, str]:
    """SHA-256 and MD5 of the next part, while the whole's digest goes on; each on a processor of its own."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    while length > 0 and (chunk := file.read(min(length, _MIB))):
        length -= len(chunk)
        list(pool.map(methodcaller("update", chunk), (md5, sha256, whole)))
    return sha256.hexdigest(), b64encode(md5.digest()).decode("ascii")
