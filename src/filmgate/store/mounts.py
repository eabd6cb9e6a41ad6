"""What kind of file system a path lies on. SQLite's WAL needs memory that all its processes share, and locks that hold:
a network file system has neither, and loses or damages a database without a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .database import DatabaseRefused

_TABLE = Path("/proc/self/mountinfo")
_REMOTE = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fhgfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs"}
    | {"nfs", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs"}
)
_LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs"})  #: the root of containers without a privileged daemon


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a file system begins, and what it is."""

    point: PurePosixPath
    kind: str

    @property
    def is_remote(self) -> bool:
        """Of FUSE nothing is known to keep its locks, but for what is listed."""
        return self.kind in _REMOTE or (self.kind.startswith("fuse.") and self.kind not in _LOCAL_FUSE)


def mount_of(path: PurePosixPath, table: str) -> Mount | None:
    """The mount below which an absolute path without links lies; ``table`` reads as /proc/self/mountinfo does.

    Of several at one point the last one hides the others. None where the table says nothing of the path.
    """
    found: Mount | None = None
    for mount in map(_mount, table.splitlines()):
        if (
            mount
            and path.is_relative_to(mount.point)
            and (found is None or len(mount.point.parts) >= len(found.point.parts))
        ):
            found = mount
    return found


def place_of(path: Path) -> Mount | None:
    """The mount of a path of this machine, whether it exists or not."""
    try:
        table = _TABLE.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:  # not Linux
        return None
    return mount_of(PurePosixPath(path.resolve()), table)


def refuse_remote(database: Path, mount: Mount | None) -> None:
    """Raises DatabaseRefused where a database must not lie."""
    if mount is not None and mount.is_remote:
        raise DatabaseRefused(
            f"The database {database} lies on a network file system ({mount.kind} at {mount.point}), where SQLite "
            "loses data: name a local disk with FILMGATE_DATABASE_URL=sqlite:////PATH/filmgate.db; films may stay "
            "where they are."
        )


def _mount(line: str) -> Mount | None:
    """36 35 98:0 / /mnt/films rw,noatime shared:1 - nfs4 server:/films rw"""
    before, dash, after = line.partition(" - ")
    fields = before.split(" ")
    if not dash or len(fields) < 6:
        return None
    return Mount(PurePosixPath(_unescaped(fields[4])), after.split(" ")[0])


def _unescaped(text: str) -> str:
    r"""A space is written \040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
