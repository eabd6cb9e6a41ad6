"""What may be made of an order: judged when it is begun, before anything is fetched or drawn for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...domain.errors import ContentRejected, LanguageRejected
from ...domain.policy import Finding, Rules
from ...domain.routing import Capabilities
from ...domain.spec import Kind, Spec
from ...ports import Order, Slots, Translator, Work
from .language import languages_in

Report = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class ImageRules:
    """How pictures are judged, and of which engines the films too."""

    threshold: float
    every: int = 24  #: one of so many frames of a film; 0: no frames
    trusted: frozenset[str] = frozenset({"storyboard"})  #: engines that draw nothing that would have to be looked at


@dataclass(frozen=True, slots=True)
class Verdict:
    """The spec as it is to be made (its prompt may have been put into English), and by which engine.

    ``refusal`` is there where the rules refuse the order and a fallback engine may still be asked.
    """

    spec: Spec
    engine: str
    refusal: ContentRejected | None = None


@dataclass(frozen=True)
class Policy:
    """What the operator allows. Without rules, language and images everything is."""

    rules: Rules | None = None
    english_only: bool = False
    translator: Translator | None = None
    images: ImageRules | None = None

    async def judge(self, spec: Spec, engines: Mapping[str, Capabilities]) -> Verdict:
        """``engines`` are those that can do the order, the best first. Raises ContentRejected."""
        first = next(iter(engines))
        if spec.kind.is_upgrade:  # of a film that is there
            return Verdict(spec, first)
        refusal = await asyncio.to_thread(self._refusal, spec)
        verdict = await self._understood(spec, engines)
        if verdict.spec is not spec:  # in English it may say what the rules know
            refusal = refusal or await asyncio.to_thread(self._refusal, verdict.spec)
        return replace(verdict, refusal=refusal)

    def _refusal(self, spec: Spec) -> ContentRejected | None:
        """Raises it where no other engine may be asked."""
        found = self.find(spec)
        if found is None:
            return None
        if not (found.category.fallback and spec.fallback):
            raise found.error
        return found.error

    def find(self, spec: Spec) -> Finding | None:
        """What the rules have against the texts of an order."""
        if self.rules is None:
            return None
        texts = (spec.prompt, spec.watermark or "")
        return next((found for text in texts if (found := self.rules.find(text)) is not None), None)

    async def _understood(self, spec: Spec, engines: Mapping[str, Capabilities]) -> Verdict:
        first = next(iter(engines))
        if not (self.english_only or self.translator):
            return Verdict(spec, first)
        languages = await asyncio.to_thread(languages_in, spec.prompt)
        for name, can in engines.items():
            if can.reads(languages, translate=spec.translate):
                return Verdict(spec, name)
        if self.translator is not None and spec.translate:
            prompt = await asyncio.to_thread(self.translator.translate, spec.prompt, languages)
            return Verdict(replace(spec, prompt=prompt), first)
        if self.english_only:
            raise LanguageRejected("Write the prompt in English.")
        return Verdict(spec, first)

    # ------------------------------------------------------------ pictures

    async def look_at_images(self, order: Order, slots: Slots, report: Report) -> None:
        """Those that an order came with. Raises ImageRejected."""
        if self.images is not None and order.images and order.spec.kind is Kind.GENERATE:
            options = {"threshold": self.images.threshold}
            await slots.media(replace(order, work=Work.JUDGE, options=options), report)

    async def look_at_film(self, order: Order, engine: str, slots: Slots, report: Report) -> None:
        """``order.clip``, where the engine is not trusted. Raises ContentRejected."""
        looks = self.images
        if looks is not None and looks.every and engine not in looks.trusted and not order.spec.kind.is_upgrade:
            options = {"threshold": looks.threshold, "every": looks.every}
            await slots.media(replace(order, work=Work.JUDGE, images=(), options=options), report)
