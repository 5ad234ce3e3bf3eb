"""Images made of file trees: docker import."""
import gzip
import io
import json
import tarfile

import docker as docker_py
import pytest

from conftest import WORK
from registries import HttpServer


def tree(**files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, text in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def imported(daemon):
    yield "imported/tree:1"
    daemon.caisson("rmi", "-f", "imported/tree:1", check=False)


def test_import_of_a_file_and_of_stdin(client, daemon, imported, tmp_path):
    path = tmp_path / "root.tar"
    path.write_bytes(tree(name="value"))
    out = client.out("import", "-c", "ENV A=b", "-c", 'CMD ["/name"]', "-m", "by hand", "--platform", "linux/arm64", path, imported)
    assert out.startswith("sha256:")
    image = json.loads(client("image", "inspect", imported).stdout)[0]
    assert image["Id"] == out
    assert image["Config"]["Env"] == ["A=b"] and image["Config"]["Cmd"] == ["/name"]
    assert image["Architecture"] == "arm64" and image["Comment"] == "by hand"
    assert "by hand" in client("history", imported).stdout
    with open(path, "rb") as archive:
        again = client.out("import", "-", stdin=archive)
    assert json.loads(client("image", "inspect", again).stdout)[0]["RepoTags"] == []
    client("rmi", again)


def test_import_of_an_url(client, daemon, imported):
    archive = gzip.compress(tree(name="value"))
    server = HttpServer(lambda request: (200, {}, archive) if request.path == "/root.tgz" else (404, {}, b""))
    try:
        out = client.out("import", f"http://{server.host}/root.tgz", imported)
        assert f"Downloading from http://{server.host}/root.tgz" in out
        assert out.splitlines()[-1].startswith("sha256:")
        assert "Imported from http://" in client("history", "--no-trunc", imported).stdout
        bad = client("import", f"http://{server.host}/none", imported, check=False)
        assert bad.returncode == 1 and "404" in bad.stderr
    finally:
        server.stop()


def test_bad_imports(client, daemon, tmp_path):
    junk = tmp_path / "junk"
    junk.write_bytes(b"no tar at all" * 200)
    before = daemon.caisson("images", "-aq").stdout
    assert client("import", junk, check=False).returncode == 1
    assert "no such file" in client("import", tmp_path / "none", check=False).stderr
    good = tmp_path / "good.tar"
    good.write_bytes(tree(a="b"))
    assert "must be lowercase" in client("import", good, "BAD", check=False).stderr
    assert "from is not a valid change command" in client("import", "-c", "FROM x", good, check=False).stderr
    assert daemon.caisson("images", "-aq").stdout == before


def test_docker_py_imports(daemon, imported, tmp_path):
    path = tmp_path / "root.tar"
    path.write_bytes(tree(a="b"))
    client = docker_py.APIClient(base_url=daemon.host, version="auto")
    answer = client.import_image(str(path), repository="imported/tree", tag="1")
    assert json.loads(answer)["status"].startswith("sha256:")
    assert client.inspect_image(imported)["RepoTags"] == [imported]
