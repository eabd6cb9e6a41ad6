"""Credits: what things cost, and the entries of the ledger. The balance of an account is the sum of its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from .spec import Kind, Resolution, Spec

#: Model -> resolution, "extend" or FROM_IMAGE -> credits; the upgrades cost the same for every model.
Prices = Mapping[str, Mapping[str, int]]

FROM_IMAGE = "4k_from_image"  #: a film in 4k that starts from images; where it has no price, it costs what 4k costs

DEFAULT_PRICES: Prices = {
    "veo3": {"720p": 250, "1080p": 255, "4k": 380, FROM_IMAGE: 370, "extend": 250},
    "veo3_fast": {"720p": 60, "1080p": 65, "4k": 180, "extend": 60},
    "veo3_lite": {"720p": 30, "1080p": 35, "4k": 150, "extend": 30},
    "upgrade": {"upgrade_1080p": 5, "upgrade_4k": 120},
}


class EntryKind(StrEnum):
    GRANT = "grant"  #: credits given by the operator
    HOLD = "hold"  #: set aside when a task is created
    SETTLE = "settle"  #: the hold has become a charge; moves nothing
    REFUND = "refund"  #: the hold is given back


@dataclass(frozen=True, slots=True)
class Caps:
    """What a key may spend, in credits; None is without a bound. Hours and days are those of UTC."""

    hourly: int | None = None
    daily: int | None = None
    total: int | None = None


NO_CAPS = Caps()


@dataclass(frozen=True, slots=True)
class Spent:
    """What a key has spent, in credits: in this hour and on this day of UTC, and in all."""

    hour: int = 0
    day: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger; ``credits`` is added to the balance."""

    account_id: str
    kind: EntryKind
    credits: int
    at_ms: int
    task_id: str | None = None
    note: str = ""


def price(spec: Spec, prices: Prices = DEFAULT_PRICES) -> int:
    """What the order costs when it succeeds, in credits. Raises KeyError for a model without a price."""
    if spec.kind in (Kind.UPGRADE_1080P, Kind.UPGRADE_4K):
        return prices["upgrade"][spec.kind]
    if spec.kind is Kind.EXTEND:
        return prices[spec.model]["extend"]
    of_model = prices[spec.model]
    if spec.images and spec.resolution is Resolution.K4 and FROM_IMAGE in of_model:
        return of_model[FROM_IMAGE]
    return of_model[spec.resolution]
