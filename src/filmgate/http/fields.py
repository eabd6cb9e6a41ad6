"""Reading single fields of requests: lenient where clients of all years differ, strict about everything else.

Null, blank strings and empty lists are "not said", "8" is 8, unknown fields are passed over. What is wrong is said in
a sentence that names the field as the dialect calls it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from unicodedata import category
from urllib.parse import SplitResult, urlsplit

import msgspec

from ..domain.errors import InvalidRequest, MalformedRequest

T = TypeVar("T")

CheckAddress = Callable[[str], None]  #: raises AddressRefused for a literal address that may not be called

MAX_ADDRESS = 8_192  #: characters

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: An escape in a JSON string; ``lone`` is half a surrogate pair without its other half.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
_INVISIBLE = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Mn", "Mc", "Me"})  #: spaces, controls, marks without a letter
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  #: letters and symbols in which there is nothing to see


def read_object(body: bytes, form: type[T]) -> T:
    """The JSON object of a body, its fields of any type. Raises MalformedRequest."""
    try:
        return msgspec.json.decode(body.removeprefix(_BYTE_ORDER_MARK), type=form)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise MalformedRequest(_unreadable(body, error)) from error
    except RecursionError as error:
        raise MalformedRequest("The body is nested too deeply: send one flat JSON object.") from error


def _unreadable(body: bytes, error: Exception) -> str:
    if not body.strip():
        return 'The body is empty: send a JSON object, such as {"prompt": "A dog playing in a park"}.'
    if isinstance(error, UnicodeDecodeError):
        return "The body is not UTF-8 text: encode the JSON object as UTF-8."
    if any(escape["lone"] for escape in _ESCAPE.finditer(body)):
        return "The JSON of the body has half a character in it: a \\ud800 to \\udfff without its other half."
    return f"The body is not a JSON object that can be read: {str(error).rstrip('.')}."


def absent(value: object) -> bool:
    """Whether it is not said."""
    return value is None or (isinstance(value, str) and _is_blank(value))


def _is_blank(value: str) -> bool:
    """Whether there is nothing to see in it."""
    return all(category(character) in _INVISIBLE or character in _FILLERS for character in value)


def first(*values: object) -> object:
    """The first of these that is said, for fields of several names; else None."""
    return next((value for value in values if not absent(value)), None)


def text(field: str, value: object, longest: int) -> str | None:
    """None where it is not said. Raises InvalidRequest."""
    if absent(value):
        return None
    if not isinstance(value, str):
        raise InvalidRequest(f"{field} must be a string.")
    if "\0" in value:
        raise InvalidRequest(f"{field} must not contain NUL characters.")
    if len(value) > longest:
        raise InvalidRequest(f"{field} must not be longer than {longest} characters; this one has {len(value)}.")
    return value


def whole(value: object) -> int | None:
    """8, 8.0 and "8" are 8; None for anything that is no whole number, true and false included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        digits = value.strip()
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 10 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    return value if isinstance(value, int) else None


def flag(field: str, value: object) -> bool | None:
    """None where it is not said. Raises InvalidRequest."""
    if absent(value):
        return None
    if not isinstance(value, bool):
        raise InvalidRequest(f"{field} must be true or false, without quotation marks.")
    return value


def address(field: str, value: object) -> str:
    """A complete http or https address. Raises InvalidRequest."""
    url = (text(field, value, MAX_ADDRESS) or "").strip()
    wrong = _wrong_about(url)
    if wrong:
        raise InvalidRequest(f"{field}: the url is wrong; {wrong}.")
    return url


def _wrong_about(url: str) -> str | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return "a space is written as %20 in it, and no control character may be in it"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "its host is not one that can be called"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "give a complete address that begins with http:// or https://"
    return None if _has_usable_port(parts) else "its port must be a number from 1 to 65535"


def _has_usable_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False
