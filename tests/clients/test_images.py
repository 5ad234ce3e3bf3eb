"""A Debian image through a real registry and real archives."""
import json

from conftest import CACHE, WORK, run


def bash_and_apt_work(daemon, image):
    deb = next(CACHE.glob("hello_*.deb"))
    out = daemon.caisson("run", "--rm", "-v", f"{deb}:/tmp/hello.deb:ro", image, "bash", "-c",
                         "set -e; . /etc/os-release; echo $ID $VERSION_CODENAME; apt-get --version | head -1;"
                         "apt-get install -y --no-download /tmp/hello.deb >/dev/null 2>&1 || dpkg -i /tmp/hello.deb >/dev/null; hello; dpkg -s hello | grep ^Status").stdout
    assert "debian bookworm" in out
    assert "apt 2." in out
    assert "Hello, world!" in out
    assert "Status: install ok installed" in out


def test_debian_is_pulled_from_a_registry_and_runs(daemon, registry, debian_archive):
    reference = f"{registry}/debian:minbase"
    run("skopeo", "copy", "--dest-tls-verify=false", f"docker-archive:{debian_archive}", f"docker://{reference}")
    out = daemon.caisson("pull", reference, timeout=300).stdout
    assert "Status: Downloaded newer image for" in out
    assert "Status: Image is up to date for" in daemon.caisson("pull", reference).stdout
    bash_and_apt_work(daemon, reference)
    digest = json.loads(daemon.caisson("inspect", reference).stdout)[0]["RepoDigests"][0]
    assert "Status: Image is up to date" in daemon.caisson("pull", digest).stdout
    daemon.caisson("rmi", reference)


def test_debian_is_loaded_from_docker_save_and_from_oci_archives(daemon, debian_archive):
    oci = WORK / "debian-oci.tar"
    run("skopeo", "copy", f"docker-archive:{debian_archive}", f"oci-archive:{oci}:minbase")
    assert "Loaded image: debian:minbase" in daemon.caisson("load", "-i", debian_archive, timeout=300).stdout
    bash_and_apt_work(daemon, "debian:minbase")
    before = json.loads(daemon.caisson("inspect", "debian:minbase").stdout)[0]["RootFS"]
    daemon.caisson("rmi", "debian:minbase")
    out = daemon.caisson("load", "-i", oci, timeout=300).stdout
    assert out.startswith("Loaded image")
    name = out.split(": ", 1)[1].strip()
    assert json.loads(daemon.caisson("inspect", name).stdout)[0]["RootFS"] == before
    bash_and_apt_work(daemon, name)
    daemon.caisson("rmi", "-f", name)
    oci.unlink()


def test_what_save_writes_others_read(daemon, debian_archive):
    daemon.caisson("load", "-i", debian_archive, timeout=300)
    saved = WORK / "saved.tar"
    daemon.caisson("save", "-o", saved, "debian:minbase", timeout=300)
    for transport in ("docker-archive", "oci-archive"):
        layout = WORK / f"copied-{transport}"
        run("skopeo", "copy", f"{transport}:{saved}", f"oci:{layout}:x", timeout=300)
        run("umoci", "unpack", "--image", f"{layout}:x", WORK / f"unpacked-{transport}", timeout=300)
        assert (WORK / f"unpacked-{transport}/rootfs/bin/bash").exists()
    daemon.caisson("rmi", "debian:minbase")


def test_unknown_names_say_so(docker):
    missing = docker("pull", "127.0.0.1:1/nothing:here", check=False)
    assert missing.returncode == 1
    assert "connection refused" in missing.stderr
    upper = docker("pull", "Debian", check=False)
    assert "repository name must be lowercase" in upper.stderr or "must be lowercase" in upper.stderr
    run_it = docker("run", "--rm", "127.0.0.1:1/nothing:here", "true", check=False)
    assert run_it.returncode == 125
    assert "Unable to find image '127.0.0.1:1/nothing:here' locally" in run_it.stderr
