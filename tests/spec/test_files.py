"""How the programs write: complete files, nothing through a link, and text where only text fits."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from feedback_spec.files import CannotWrite, append, check, replace, write

WRITERS = [replace, write, append]


@pytest.mark.parametrize("writer", WRITERS)
def test_a_file_is_written_and_nothing_is_left_beside_it(tmp_path: Path, writer: Callable[[Path, str], None]) -> None:
    writer(tmp_path / "file", "Zoë\n")

    assert (tmp_path / "file").read_bytes() == "Zoë\n".encode()
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_file_is_replaced_and_whoever_has_opened_the_old_one_keeps_it(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    with file.open() as opened:
        replace(file, "new")
        assert opened.read() == "old"

    assert file.read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    file.touch()
    file.chmod(mode)
    replace(file, "new")

    assert file.stat().st_mode & 0o777 == mode


def test_what_is_appended_comes_after_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one\n")
    append(tmp_path / "file", "two\n")

    assert (tmp_path / "file").read_text() == "one\ntwo\n"


@pytest.mark.parametrize("writer", [*WRITERS, lambda path, _: check(path)])
@pytest.mark.parametrize("name", ["link", "nowhere", "directory", "no/file"])
def test_what_is_not_a_file_is_refused_in_a_sentence(
    tmp_path: Path, writer: Callable[[Path, str], None], name: str
) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "nowhere").symlink_to(tmp_path / "nothing")
    (tmp_path / "directory").mkdir()
    before = sorted(tmp_path.iterdir())

    with pytest.raises(CannotWrite, match=r"^/.*: cannot be written: (it is a|there is no directory) .*\.$"):
        writer(tmp_path / name, "lost")
    assert (tmp_path / "file").read_text() == "kept"
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_is_not_written_to_its_end_leaves_the_old_one(tmp_path: Path) -> None:
    """A full disk, here simulated by a process limit."""
    resource = pytest.importorskip("resource")
    (tmp_path / "file").write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        for writer in WRITERS:
            with pytest.raises(CannotWrite, match="too large"):
                writer(tmp_path / "file", "x" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (tmp_path / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


KILLED = """
import os, signal, sys
from feedback_spec import files

def dying(call, at):
    def called(*given, **named):
        counted[0] += 1
        if counted[0] == at:
            if call is really_write:
                call(given[0], given[1][:len(given[1]) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*given, **named)
    return called

path, really_write, survived = files.Path(sys.argv[1]), os.write, 0
names = ("open", "write", "fsync", "close", "replace", "rename")
real = {name: getattr(os, name) for name in names}
for at in range(1, 20):
    path.write_text("old")
    child = os.fork()
    if not child:
        counted = [0]
        for name, call in real.items():
            setattr(os, name, dying(call, at))
        files.replace(path, "new" * 10_000)
        os._exit(0)
    killed = os.waitpid(child, 0)[1]
    print(killed, path.read_text()[:3], len(path.read_text()))
"""


def test_a_process_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    """Killed at each of its system calls, including in the middle of a write."""
    pytest.importorskip("resource")
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "file")], capture_output=True, text=True, check=True
    )
    found = [tuple(line.split()) for line in ran.stdout.splitlines()]

    assert set(found) == {("9", "old", "3"), ("0", "new", "30000")}
    assert found.count(("9", "old", "3")) >= 4


@pytest.mark.parametrize("writer", [write, append])
def test_a_full_device_is_a_sentence_and_stays(writer: Callable[[Path, str], None]) -> None:
    with pytest.raises(CannotWrite, match=r"^/dev/full: cannot be written: No space left on device\.$"):
        writer(Path("/dev/full"), "lost")
    assert Path("/dev/full").is_char_device()


def test_a_device_is_not_replaced() -> None:
    with pytest.raises(CannotWrite, match="it is not a regular file"):
        replace(Path("/dev/full"), "lost")


@pytest.mark.parametrize("writer", [write, append])
def test_a_pipe_gets_the_text(tmp_path: Path, writer: Callable[[Path, str], None]) -> None:
    pipe, text = tmp_path / "pipe", "x" * 100_000
    os.mkfifo(pipe)
    thread = threading.Thread(target=writer, args=(pipe, text))
    thread.start()
    got = pipe.read_text()
    thread.join()

    assert got == text
    assert pipe.is_fifo()


@pytest.mark.parametrize("writer", [write, append])
def test_a_descriptor_gets_the_text_after_what_it_has_got_before(
    tmp_path: Path, writer: Callable[[Path, str], None]
) -> None:
    """Like /dev/stdout, whether it is a pipe or a file."""
    with (tmp_path / "file").open("w") as file:
        print("before", file=file, flush=True)
        check(Path(f"/dev/fd/{file.fileno()}"))
        writer(Path(f"/dev/fd/{file.fileno()}"), "the text\n")
        print("after", file=file)

    assert (tmp_path / "file").read_text() == "before\nthe text\nafter\n"


@pytest.mark.parametrize("writer", [write, append])
def test_a_descriptor_that_is_not_open_is_a_sentence(writer: Callable[[Path, str], None]) -> None:
    with pytest.raises(CannotWrite, match=r"^/dev/fd/99999: cannot be written: Bad file descriptor\.$"):
        writer(Path("/dev/fd/99999"), "lost")
