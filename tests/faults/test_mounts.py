"""Where a database may lie: not on a network file system; and one server at a time, by whatever path it comes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from filmgate.store.database import DatabaseRefused
from filmgate.store.mounts import Mount, mount_of, refuse_remote
from support.privately import privately
from support.server import NotStarted, serving

TABLE = r"""22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
40 27 0:30 / /srv rw - overlay overlay rw,lowerdir=/a:/b
41 40 0:31 / /srv/films rw,noatime shared:1 - nfs4 server:/films rw,vers=4.2
42 40 0:32 / /srv/with\040space rw - cifs //server/share rw
43 27 0:33 / /home/me/far rw - fuse.sshfs me@there:/ rw
44 27 0:34 / /mnt/c rw - 9p C:\ rw
45 44 0:35 / /mnt/c/fast rw - tmpfs tmpfs rw
46 27 8:1 / /mnt/disk rw - xfs /dev/sdb1 rw
47 46 0:36 / /mnt/disk rw - nfs server:/over rw
48 27 0:37 / /podman rw - fuse.fuse-overlayfs fuse-overlayfs rw
49 27 0:38 / /ntfs rw - fuseblk /dev/sdc1 rw
50 27 0:39 / /pool rw - zfs pool rw
51 27 0:40 /sub /subvolume rw - btrfs /dev/sdd rw
this line is not one of a table
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/filmgate/filmgate.db", "ext4"),
        ("/srv/filmgate.db", "overlay"),
        ("/mnt/c/fast/filmgate.db", "tmpfs"),
        ("/podman/filmgate.db", "fuse.fuse-overlayfs"),
        ("/ntfs/filmgate.db", "fuseblk"),
        ("/pool/filmgate.db", "zfs"),
        ("/subvolume/filmgate.db", "btrfs"),
        ("/srv/films-of-mine/filmgate.db", "overlay"),
    ],
)
def test_local_file_systems_will_do(path: str, kind: str) -> None:
    mount = mount_of(PurePosixPath(path), TABLE)
    assert mount is not None
    assert mount.kind == kind
    refuse_remote(Path(path), mount)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/films/filmgate.db", "nfs4"),
        ("/srv/with space/filmgate.db", "cifs"),
        ("/home/me/far/deep/filmgate.db", "fuse.sshfs"),
        ("/mnt/c/Users/filmgate.db", "9p"),
        ("/mnt/disk/filmgate.db", "nfs"),  # mounted over a local one, which it hides
    ],
)
def test_network_file_systems_are_refused(path: str, kind: str) -> None:
    with pytest.raises(DatabaseRefused, match=rf"network file system \({kind} at .*FILMGATE_DATABASE_URL"):
        refuse_remote(Path(path), mount_of(PurePosixPath(path), TABLE))


@pytest.mark.parametrize("kind", ["smb3", "ceph", "glusterfs", "lustre", "fuse.s3fs", "fuse.rclone", "afs"])
def test_so_are_their_relatives(kind: str) -> None:
    assert Mount(PurePosixPath("/x"), kind).is_remote


def test_a_table_that_says_nothing_refuses_nothing() -> None:
    assert mount_of(PurePosixPath("/x"), "") is None
    refuse_remote(Path("/x/filmgate.db"), None)


def test_a_real_mount_is_found_through_a_link(tmp_path: Path) -> None:
    """A file system of its own below a folder, and a link into it."""
    far, link = tmp_path / "far", tmp_path / "link"
    far.mkdir()
    link.symlink_to(far)
    look = "import sys, pathlib; from filmgate.store.mounts import place_of; print(place_of(pathlib.Path(sys.argv[1])))"
    command = privately(f"mount -t tmpfs none {far}", [sys.executable, "-c", look, str(link / "new" / "filmgate.db")])
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert f"'{far}'" in said
    assert "kind='tmpfs'" in said


# ---------------------------------------------------------------- two servers -------------------------------------


def test_a_second_server_by_a_link_to_the_folder_is_refused(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "data")
    with serving(tmp_path / "data", ready=False), pytest.raises(NotStarted, match="Another `filmgate serve` uses"):
        serving(link, ready=False).__enter__()


def test_a_second_server_by_a_bind_mount_is_refused(tmp_path: Path) -> None:
    data, other = tmp_path / "data", tmp_path / "other"
    other.mkdir()
    with serving(data, ready=False):
        serve = [sys.executable, "-m", "filmgate", "serve", "--port", "0", "--data", str(other)]
        ended = subprocess.run(
            privately(f"mount --bind {data} {other}", serve), capture_output=True, text=True, timeout=60, check=False
        )
    assert ended.returncode == 2
    assert "Another `filmgate serve` uses" in ended.stderr


def test_two_folders_with_links_to_one_database_are_refused(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir(mode=0o700)
    (two / "filmgate.db").symlink_to(one / "filmgate.db")
    with serving(one, ready=False), pytest.raises(NotStarted, match="uses the database"):
        serving(two, ready=False).__enter__()
