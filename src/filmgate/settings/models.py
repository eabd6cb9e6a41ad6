"""The [models.NAME] tables: which engine makes the films of a model, and what they cost."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import msgspec

from ..domain.credits import FROM_IMAGE
from .names import SettingsError, nearest
from .tree import ModelSettings, default_models

PRICED = ("720p", "1080p", "4k", "extend")
MAY_BE_PRICED = (*PRICED, FROM_IMAGE)


def read_models(tables: Any, path: str) -> tuple[Mapping[str, ModelSettings], dict[str, str]]:
    """The models by name, and where each comes from: the three public ones are always there."""
    if not isinstance(tables, dict):
        raise SettingsError(f"{path} has models = {tables!r}, but models are tables such as [models.veo3].")
    models = dict(default_models())
    models |= {name: _model(name, table, models.get(name), path) for name, table in tables.items()}
    origins = {f"models.{name}": f"{path}: models.{name}" if name in tables else "default" for name in models}
    return MappingProxyType(models), origins


def _model(name: str, table: Any, shipped: ModelSettings | None, path: str) -> ModelSettings:
    where = f"{path}: models.{name}"
    _check_name(name, where)
    _check_table(table, where)
    try:
        given = msgspec.convert(table, ModelSettings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where} is not usable: {error}.") from error
    prices = {**_kept(shipped.prices if shipped else {}, given.prices), **given.prices}
    _check_prices(name, prices, where)
    return replace(given, prices=prices)


def _kept(shipped: Mapping[str, int], given: Mapping[str, int]) -> Mapping[str, int]:
    """The prices that stay as they are. A new price of 4k is meant for films from images too, unless those have one."""
    return {key: credits for key, credits in shipped.items() if not (key == FROM_IMAGE and "4k" in given)}


def _check_name(name: str, where: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name) or name == "upgrade":
        raise SettingsError(f"{where}: a model's name has small letters, digits and the signs . _ - only.")


def _check_table(table: Any, where: str) -> None:
    allowed = [each.name for each in fields(ModelSettings)]
    if not isinstance(table, dict):
        raise SettingsError(f"{where} must be a table with the keys {', '.join(allowed)}.")
    for key in table:
        if key not in allowed:
            raise SettingsError(f"{where} has {key}, which is no setting.{nearest(key, allowed)}")


def _check_prices(name: str, prices: Mapping[str, int], where: str) -> None:
    for key, credits in prices.items():
        if key not in MAY_BE_PRICED:
            raise SettingsError(f"{where}.prices has {key}, which has no price.{nearest(key, MAY_BE_PRICED)}")
        if credits < 0:
            raise SettingsError(f"{where}.prices.{key} is {credits}; it must be 0 or more credits.")
    missing = [key for key in PRICED if key not in prices]
    if missing:
        meant = nearest(name, default_models())
        raise SettingsError(f"{where} needs prices for {', '.join(missing)}: it is a model of your own.{meant}")
