"""What the disk is used for: system df says what du says, fsck repairs what was damaged, and nothing is left behind."""
import json
import os
import pathlib
import shutil
import sqlite3
import tarfile
import io

import docker as docker_py
import pytest

from conftest import Daemon, docker_archive, run, wait_until


def du(path):
    """Allocated bytes, hard links once."""
    return int(run("du", "-s", "--block-size=1", path).stdout.split()[0])


def df(daemon):
    with docker_py.APIClient(base_url=daemon.host, version="1.51") as client:
        return client.df()


def fsck(daemon, *flags, check=False):
    done = daemon.caisson("system", "fsck", "--grace", "0s", "--format", "json", *flags, check=check)
    return done.returncode, json.loads(done.stdout)


def kinds(report):
    return [finding["Kind"] for finding in report["Findings"]]


@pytest.fixture
def own():
    daemons = []

    def make(name, *flags):
        daemons.append(Daemon(name, *flags).start())
        return daemons[-1]
    yield make
    for daemon in daemons:
        daemon.stop()
        shutil.rmtree(daemon.dir)


def layer(path, fill):
    """A tar of what `fill` puts into a folder."""
    root = pathlib.Path(str(path) + ".root")
    root.mkdir()
    fill(root)
    run("tar", "-C", root, "--sparse", "-cf", path, ".")
    shutil.rmtree(root)
    return path


def small_files(root):
    for folder in range(40):
        (root / f"small{folder}").mkdir()
        for file in range(100):
            (root / f"small{folder}" / f"file{file}").write_text("x" * (file * 40))


def links_and_holes(root):
    (root / "big").write_bytes(os.urandom(3_000_000))
    for i in range(20):
        os.link(root / "big", root / f"link{i}")
    with open(root / "sparse", "wb") as sparse:
        sparse.truncate(200 << 20)
        sparse.seek(100 << 20)
        sparse.write(b"middle")


@pytest.fixture
def archive(tmp_path):
    layers = [layer(tmp_path / "0.tar", small_files), layer(tmp_path / "1.tar", links_and_holes)]
    path = tmp_path / "image.tar"
    docker_archive(path, "disk:1", layers, {"Cmd": ["true"]})
    return path


def settled(daemon):
    """Nothing is removed or dropped in the background any more."""
    before = None

    def same():
        nonlocal before
        now = df(daemon)["Disk"]
        if now == before and now["BeingRemoved"] == 0:
            return now
        before = now
        return None
    return wait_until(same, "the disk is quiet", seconds=60)


def test_df_says_what_du_says(own, archive):
    daemon = own("disk-df")
    daemon.caisson("load", "-i", archive)
    daemon.caisson("run", "--name", "writer", "-v", "data:/v", "busybox", "sh", "-c",
                   "head -c 2000000 /dev/urandom > /v/x; head -c 2000000 /dev/urandom > /y; for i in $(seq 200); do echo > /f$i; done")
    disk = settled(daemon)
    real = du(daemon.dir / "data")
    assert abs(disk["Total"] - real) <= real * 0.01, (disk, real)
    answer = df(daemon)
    images = du(daemon.dir / "data/content") + sum(
        du(folder) for folder in (daemon.dir / "data/snapshots").iterdir() if not (folder / "work").exists())
    assert abs(answer["LayersSize"] - images) <= images * 0.01
    assert "Data root on disk:" in daemon.caisson("system", "df", "-v").stdout
    # Everything goes, and only metadata is left.
    daemon.caisson("rm", "writer")
    daemon.caisson("volume", "rm", "data")
    daemon.caisson("rmi", "disk:1", "busybox")
    daemon.caisson("image", "prune", "-af")
    disk = settled(daemon)
    assert disk["Layers"] == 0 and disk["Writable"] == 0 and disk["Ingests"] == 0, disk
    blobs = list((daemon.dir / "data/content/blobs/sha256").iterdir())
    assert blobs == [] and fsck(daemon) == (0, {"Findings": [], "Images": 0, "Layers": 0, "Snapshots": 0, "Blobs": 0})
    left = du(daemon.dir / "data") - du(daemon.dir / "data/caisson.db") - du(daemon.dir / "data/caisson.db-wal")
    assert left < 300_000, run("find", daemon.dir / "data", "-ls").stdout


def test_a_loaded_image_takes_the_disk_once(own, archive):
    daemon = own("disk-once")
    daemon.caisson("load", "-i", archive)
    first = daemon.dir / "saved-1.tar"
    blobs = daemon.dir / "data/content/blobs/sha256"
    # The layer with holes was saved as a sparse archive: it does not come out of its folder again, so its blob stays.
    wait_until(lambda: sum(blob.stat().st_size > 3_500_000 for blob in blobs.iterdir()) == 0, "the plain layer's blob is dropped")
    daemon.caisson("save", "-o", first, "disk:1")
    skopeo = shutil.which("skopeo")
    if skopeo:
        seen = json.loads(run(skopeo, "inspect", f"docker-archive:{first}:disk:1").stdout)
        assert len(seen["Layers"]) == 2
    other = own("disk-other")
    other.caisson("load", "-i", first)
    assert (other.caisson("image", "inspect", "-f", "{{.Id}}", "disk:1").stdout
            == daemon.caisson("image", "inspect", "-f", "{{.Id}}", "disk:1").stdout)
    other.caisson("save", "-o", daemon.dir / "saved-2.tar", "disk:1")
    assert first.read_bytes() == (daemon.dir / "saved-2.tar").read_bytes()
    keeping = own("disk-keep", "--layer-blobs", "keep")
    keeping.caisson("load", "-i", archive)
    assert df(keeping)["Disk"]["Blobs"] > df(daemon)["Disk"]["Blobs"] + 3_000_000
    wrong = Daemon("disk-wrong", "--layer-blobs", "burn")
    refused = run(os.environ["CAISSON_BIN"] + "/caissond", "--data-root", wrong.dir / "d", "--exec-root", wrong.dir / "e", "-H",
                  wrong.host, "--layer-blobs", "burn", check=False)
    assert refused.returncode != 0 and 'invalid layer-blobs "burn"' in refused.stderr


def test_fsck_repairs(own, archive):
    # With its blobs: a layer whose blob was dropped is the only copy.
    daemon = own("disk-fsck", "--layer-blobs", "keep")
    daemon.caisson("load", "-i", archive)
    daemon.caisson("create", "--name", "one", "busybox", "true")
    assert fsck(daemon) == (0, {**fsck(daemon)[1], "Findings": []})
    data = daemon.dir / "data"
    clean = daemon.caisson("system", "fsck").stdout
    assert clean.endswith("were checked: nothing is wrong\n")

    (data / "content/ingest/new-0").write_text("half a blob")
    (data / "snapshots/4711/fs").mkdir(parents=True)
    (data / "content/blobs/sha256" / ("0" * 64)).write_text("not what it says")
    code, report = fsck(daemon)
    assert code == 1 and kinds(report) == ["unknown-folder", "orphaned-ingest", "unneeded-blob"]
    text = daemon.caisson("system", "fsck", "--grace", "0s", check=False)
    assert text.returncode == 1 and "FINDING" in text.stdout and "3 findings, 0 repaired, 3 left" in text.stdout
    assert fsck(daemon, "--repair")[0] == 0 and fsck(daemon)[0] == 0
    assert not (data / "snapshots/4711").exists()

    # The layer of a built-in image, unpacked again from its blob; the container on it never noticed.
    top = daemon.caisson("inspect", "-f", "{{.GraphDriver.Data.LowerDir}}", "one", check=False).stdout.strip()
    layers = [folder for folder in (data / "snapshots").iterdir() if (folder / "fs/bin/busybox").exists()]
    assert layers, top
    shutil.rmtree(layers[0])
    assert daemon.caisson("start", "one", check=False).returncode != 0
    code, report = fsck(daemon, "--repair")
    assert code == 0 and kinds(report) == ["missing-layer"], report
    daemon.caisson("start", "one")
    daemon.caisson("wait", "one")

    with docker_py.APIClient(base_url=daemon.host) as client:
        bad = client._post(client._url("/system/fsck"), params={"grace": "soon"})
    assert (bad.status_code, bad.json()["message"]) == (400, 'invalid grace "soon": want a number of seconds')
    # Sizes that are recorded and wrong.
    daemon.stop()
    with sqlite3.connect(data / "caisson.db") as database:
        database.execute("UPDATE snapshots SET bytes = 1 WHERE kind = 0")
    database.close()
    daemon.start()
    code, report = fsck(daemon, "--repair")
    assert code == 0 and set(kinds(report)) == {"wrong-size"}


def test_prune_by_count_and_use(own):
    daemon = own("disk-prune", "--image-budget", "1g")
    daemon.caisson("run", "--rm", "busybox", "true")
    for tag in ("a:1", "a:2", "b:1"):
        daemon.caisson("create", "--name", "made", "busybox", "true")
        daemon.caisson("commit", "-m", tag, "made", tag)
        daemon.caisson("rm", "made")
    told = daemon.caisson("image", "prune", "--keep-last", "1", "--dry-run").stdout
    assert "Would delete images:\nuntagged: a:1\n" in told and "untagged: a:2" not in told
    assert daemon.caisson("images", "-q", "a:1").stdout
    out = daemon.caisson("image", "prune", "-f", "--keep-last", "1").stdout
    assert "Deleted Images:\nuntagged: a:1\n" in out
    tags = daemon.caisson("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    assert sorted(tags) == ["a:2", "b:1", "busybox:latest"]
    assert "untagged" not in daemon.caisson("image", "prune", "-af", "--unused-for", "1h").stdout
    refused = daemon.caisson("image", "prune", "-af", "--filter", "keep-last=x", check=False)
    assert "invalid filter 'keep-last=x'" in refused.stderr
    refused = daemon.caisson("image", "prune", "-af", "--filter", "unused-for=ever", check=False)
    assert "invalid filter 'unused-for=ever'" in refused.stderr


def test_the_budget_evicts(own, archive, tmp_path):
    daemon = own("disk-budget", "--image-budget", "20m")
    daemon.caisson("load", "-i", archive)
    for number in (1, 2):
        big = layer(tmp_path / f"big{number}.tar", lambda root: (root / "big").write_bytes(os.urandom(7 << 20)))
        path = tmp_path / f"big{number}.image"
        docker_archive(path, f"big:{number}", [big], {"Cmd": ["true"]})
        daemon.caisson("load", "-i", path)
    tags = daemon.caisson("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    assert "big:2" in tags and "disk:1" not in tags
    events = daemon.caisson("events", "--since", "10m", "--until", "0s", "--filter", "event=delete").stdout
    assert "image delete" in events


def test_removing_many_files_returns_at_once(own, tmp_path):
    """The deletion goes on in the background, is accounted for, and is taken up after a crash."""
    path = tmp_path / "many.tar"
    with tarfile.open(path, "w") as tar:
        for i in range(100_000):
            tar.addfile(tarfile.TarInfo(f"d{i // 500}/f{i}"), io.BytesIO())
    image = tmp_path / "many.image"
    docker_archive(image, "many:1", [path], {"Cmd": ["true"]})
    daemon = own("disk-many")
    daemon.caisson("load", "-i", image, timeout=300)
    daemon.caisson("rmi", "many:1")
    # The trash is taken up wherever it was left.
    disk = df(daemon)["Disk"]
    daemon.kill()
    trash = daemon.dir / "data/snapshots/trash"
    left = list(trash.iterdir())
    assert disk["BeingRemoved"] > 0 or not left
    daemon.start()
    wait_until(lambda: not list(trash.iterdir()), "the trash is emptied", seconds=120)
    assert df(daemon)["Disk"]["BeingRemoved"] == 0
