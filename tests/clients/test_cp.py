"""cp by docker's own client, by ours, and by docker-py: the same paths must end at the same places."""
import io
import os
import stat
import subprocess
import tarfile

import docker as docker_py
import pytest

IMAGE = "busybox"


@pytest.fixture
def box(daemon, names):
    """A container that was never started, and the same one running."""
    name = names()
    daemon.caisson("create", "--name", name, "-v", "/volume", "--tmpfs", "/ram", IMAGE, "sleep", "1000")
    return name


@pytest.fixture
def here(tmp_path):
    (tmp_path / "dir" / "sub").mkdir(parents=True)
    (tmp_path / "dir" / "file").write_text("of dir")
    (tmp_path / "dir" / "sub" / "deep").write_text("deep")
    (tmp_path / "file").write_text("content")
    (tmp_path / "file").chmod(0o640)
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "dirlink").symlink_to("dir")
    return tmp_path


def tree(path):
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            whole = os.path.join(folder, name)
            relative = os.path.relpath(whole, path)
            if os.path.islink(whole):
                found[relative] = "-> " + os.readlink(whole)
            elif os.path.isdir(whole):
                found[relative] = "dir"
            else:
                found[relative] = open(whole).read()
    return found


# source, destination that is made before ("" for none), destination → what is in /to of the container.
INTO = [
    ("file", "to/", {"file": "content"}),
    ("file", "to/new", {"new": "content"}),
    ("file", "to/.", {"file": "content"}),
    ("dir", "to", {"dir": "dir", "dir/file": "of dir", "dir/sub": "dir", "dir/sub/deep": "deep"}),
    ("dir/", "to", {"dir": "dir", "dir/file": "of dir", "dir/sub": "dir", "dir/sub/deep": "deep"}),
    ("dir/.", "to", {"file": "of dir", "sub": "dir", "sub/deep": "deep"}),
    ("dir", "to/new", {"new": "dir", "new/file": "of dir", "new/sub": "dir", "new/sub/deep": "deep"}),
    ("dir/.", "to/new", {"new": "dir", "new/file": "of dir", "new/sub": "dir", "new/sub/deep": "deep"}),
    ("link", "to", {"link": "-> file"}),
    ("-L link", "to", {"link": "content"}),
    ("dirlink", "to", {"dirlink": "-> dir"}),
    ("dirlink/", "to", {"dirlink": "dir", "dirlink/file": "of dir", "dirlink/sub": "dir", "dirlink/sub/deep": "deep"}),
    ("-L dirlink", "to", {"dirlink": "dir", "dirlink/file": "of dir", "dirlink/sub": "dir", "dirlink/sub/deep": "deep"}),
    ("dirlink/.", "to", {"file": "of dir", "sub": "dir", "sub/deep": "deep"}),
]


@pytest.mark.parametrize("source,target,expected", INTO)
def test_both_ways(client, box, here, tmp_path_factory, source, target, expected):
    made = tmp_path_factory.mktemp("made")
    (made / "to").mkdir()
    client("cp", made / "to", f"{box}:/")
    options = source.split()[:-1]
    client("cp", *options, here / source.split()[-1] if not source.endswith(("/", "/.")) else f"{here}/{source}", f"{box}:/{target}")
    back = tmp_path_factory.mktemp("back")
    client("cp", f"{box}:/to", back)
    assert tree(back / "to") == expected
    # And the other way round: the same rules with the ends exchanged.
    client("cp", here, f"{box}:/here")
    out = tmp_path_factory.mktemp("out")
    (out / "to").mkdir()
    client("cp", *options, f"{box}:/here/{source.split()[-1]}", f"{out}/{target}")
    assert tree(out / "to") == expected


def test_a_link_as_destination_is_followed(client, box, here):
    client("cp", here, f"{box}:/here")
    client("cp", f"{here}/file", f"{box}:/here/dirlink")
    client("cp", f"{box}:/here/dir/file", here / "got")
    assert (here / "got").read_text() == "content"
    (here / "outlink").symlink_to("outdir")
    (here / "outdir").mkdir()
    client("cp", f"{box}:/here/file", here / "outlink")
    assert (here / "outdir" / "file").read_text() == "content"


def test_modes_times_and_owners(client, box, here):
    os.utime(here / "file", (1_600_000_000, 1_600_000_000))
    client("cp", here / "file", f"{box}:/f")
    client("cp", f"{box}:/f", here / "back")
    found = (here / "back").stat()
    assert (stat.S_IMODE(found.st_mode), found.st_mtime, found.st_uid) == (0o640, 1_600_000_000, 0)


def test_archives_on_standard_streams(client, box, here):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as out:
        info = tarfile.TarInfo("from/stdin")
        info.size, info.uid = 5, 4711
        out.addfile(info, io.BytesIO(b"hello"))
    done = subprocess.run([client.path, "cp", "-", f"{box}:/tmp"], input=made.getvalue(), env=client.daemon.env(),
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([client.path, "cp", f"{box}:/tmp/from", "-"], env=client.daemon.env(), capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        assert archive.extractfile("from/stdin").read() == b"hello"
        assert archive.getmember("from/stdin").uid == 4711


def test_running_containers_have_their_mounts(client, box, daemon, here):
    daemon.caisson("start", box)
    for place in ("volume", "ram", "tmp"):
        client("cp", here / "dir", f"{box}:/{place}")
        assert daemon.caisson("exec", box, "cat", f"/{place}/dir/sub/deep").stdout == "deep"
        client("cp", f"{box}:/{place}/dir/sub/deep", here / "again")
        assert (here / "again").read_text() == "deep"
        (here / "again").unlink()


def test_a_large_file_is_streamed(client, box, here):
    size = 200 << 20
    with open(here / "large", "wb") as out:
        out.truncate(size)
        out.seek(size // 2)
        out.write(b"middle")
    client("cp", here / "large", f"{box}:/large")
    client("cp", f"{box}:/large", here / "back")
    assert (here / "back").stat().st_size == size
    assert subprocess.run(["cmp", here / "large", here / "back"]).returncode == 0


ERRORS = [
    (["cp", "{box}:/nope", "x"], "Error response from daemon: Could not find the file /nope in container {box}"),
    (["cp", "nobody:/x", "x"], "Error response from daemon: No such container: nobody"),
    (["cp", "{here}/file", "nobody:/x"], "Error response from daemon: No such container: nobody"),
    (["cp", "{here}/file", "{box}:/no/such/dir"], "Error response from daemon: Could not find the file /no/such in container {box}"),
    (["cp", "{here}/file", "{box}:/no/"], "no such directory"),
    (["cp", "{here}/dir", "{box}:/etc/passwd"], "cannot copy directory"),
    (["cp", "{box}:/etc", "{here}/file"], "cannot copy directory"),
    (["cp", "{box}:/etc/passwd", "{here}/no/"], "no such directory"),
    (["cp", "{here}/missing", "{box}:/"], "lstat {here}/missing: no such file or directory"),
    (["cp", "{box}:/etc", "{here}/no/where/x"], 'invalid output path: directory "{here}/no/where" does not exist'),
    (["cp", "a:/x", "b:/y"], "copying between containers is not supported"),
    (["cp", "x", "y"], "must specify at least one container source"),
    (["cp", "-", "{box}:/etc/passwd"], 'destination "{box}:/etc/passwd" must be a directory'),
    (["cp", "{box}:/etc/passwd", "/dev/null"], 'invalid output path: "/dev/null" must be a directory or a regular file: got a device'),
]


@pytest.mark.parametrize("arguments,message", ERRORS)
def test_errors(client, box, here, arguments, message):
    fill = {"box": box, "here": here}
    done = client(*[argument.format(**fill) for argument in arguments], check=False, cwd=here)
    assert done.returncode == 1
    if client.path == "/usr/bin/docker" and "daemon" in message:
        return  # 20.10 has words of its own for these
    # The newest client logs its own closed pipe first.
    assert done.stderr.strip().splitlines()[-1] == message.format(**fill)


def test_read_only_places(client, daemon, names, here):
    name = names()
    daemon.caisson("create", "--name", name, "--read-only", "-v", f"{here}:/ro:ro", IMAGE)
    for place, reason in (("/tmp", "container rootfs is marked read-only"), ("/ro", "mounted volume is marked read-only")):
        done = client("cp", here / "file", f"{name}:{place}", check=False)
        assert done.stderr.strip() == "Error response from daemon: " + reason


def test_docker_py(daemon, box):
    api = docker_py.APIClient(base_url=daemon.host)
    chunks, found = api.get_archive(box, "/etc/group")
    assert (found["name"], found["linkTarget"], found["mode"] & 0o777) == ("group", "", 0o644)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        assert archive.getnames() == ["group"]
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w:gz") as out:
            out.addfile(tarfile.TarInfo("empty"))
        assert api.put_archive(box, "/tmp", data.getvalue())
    with pytest.raises(docker_py.errors.NotFound):
        api.put_archive(box, "/nope", data.getvalue())
    with pytest.raises(docker_py.errors.APIError) as refused:
        api.put_archive(box, "/tmp", b"this is no archive" * 100)
    assert refused.value.status_code in (400, 500)
    response = api._put(api._url("/containers/{0}/archive", box), data=b"")
    assert (response.status_code, response.json()["message"]) == (400, "bad parameter: path cannot be empty")


# -- patterns: ours alone ---------------------------------------------------------------------------

@pytest.mark.parametrize("state", ["created", "running"])
def test_patterns(daemon, box, here, state):
    if state == "running":
        daemon.caisson("start", box)
    for name in ("a.conf", "b.conf", "c.txt", "[x].conf"):
        (here / name).write_text(name)
    places = ["/etc"] + (["/ram", "/volume"] if state == "running" else ["/volume"])
    for place in places:
        # Into the container, by a pattern of this machine ...
        daemon.caisson("cp", f"{here}/?.conf", f"{box}:{place}")
        daemon.caisson("cp", f"{here}/[[]x].conf", f"{box}:{place}")
        # ... and out of it, by one of the container's.
        out = here / f"out{place.replace('/', '-')}"
        out.mkdir()
        daemon.caisson("cp", f"{box}:{place}/[ab].conf", out)
        assert tree(out) == {"a.conf": "a.conf", "b.conf": "b.conf"}
        # One match is as if it had been named; what is there by its letters is no pattern.
        daemon.caisson("cp", f"{box}:{place}/a*", out / "one")
        assert (out / "one").read_text() == "a.conf"
        daemon.caisson("cp", f"{box}:{place}/[x].conf", out / "literal")
        assert (out / "literal").read_text() == "[x].conf"


def test_patterns_that_fit_nothing_or_too_much(daemon, box, here):
    for name in ("a.conf", "b.conf"):
        (here / name).write_text(name)
    daemon.caisson("cp", here, f"{box}:/here")
    for words, message in (
            (["cp", f"{box}:/here/*.nothing", here], f"Error response from daemon: Could not find the file /here/*.nothing in container {box}"),
            (["cp", f"{here}/*.nothing", f"{box}:/"], f"lstat {here}/*.nothing: no such file or directory"),
            (["cp", f"{box}:/here/*.conf", f"{here}/new"], "the source matches 2 paths: the destination must be a directory that is there"),
            (["cp", f"{box}:/here/*.conf", "-"], "the source matches 2 paths: the destination must be a directory that is there"),
            (["cp", f"{here}/*.conf", f"{box}:/new"], "the source matches 2 paths: the destination must be a directory that is there"),
            (["cp", f"{here}/*.conf", f"{box}:/etc/passwd"], "the source matches 2 paths: the destination must be a directory that is there"),
            (["cp", "nobody:/*", here], "Error response from daemon: No such container: nobody")):
        done = daemon.caisson(*words, check=False)
        assert (done.returncode, done.stderr.strip()) == (1, message)


def test_a_pattern_stays_in_the_container(daemon, box, here):
    daemon.caisson("cp", here, f"{box}:/here")
    daemon.caisson("start", box)
    daemon.caisson("exec", box, "ln", "-s", "../../../../../../..", "/here/up")
    out = here / "out"
    out.mkdir()
    daemon.caisson("cp", f"{box}:/here/up/her?", out)
    assert sorted(tree(out / "here"))[0] == "dir"
