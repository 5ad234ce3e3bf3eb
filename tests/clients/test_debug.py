"""debug: a shell with tools beside a container that has none."""
import io
import tarfile

import pexpect
import pytest

from conftest import BIN, docker_archive, run


@pytest.fixture(scope="module")
def bare_image(daemon, tmp_path_factory):
    """One program, static, and a file: no shell."""
    folder = tmp_path_factory.mktemp("bare")
    sleeper = folder / "sleeper"
    (folder / "sleeper.c").write_text("#include <unistd.h>\nint main(void) { for (;;) pause(); }\n")
    run("gcc", "-static", "-o", sleeper, folder / "sleeper.c")
    with tarfile.open(folder / "layer.tar", "w") as layer:
        layer.add(sleeper, "sleeper")
        info = tarfile.TarInfo("message")
        info.size = 5
        layer.addfile(info, io.BytesIO(b"hello"))
    docker_archive(folder / "image.tar", "bare:1", [folder / "layer.tar"], {"Cmd": ["/sleeper"]})
    daemon.caisson("load", "-i", folder / "image.tar")
    return "bare:1"


@pytest.fixture
def bare(daemon, names, bare_image):
    name = names()
    daemon.caisson("run", "-d", "--name", name, "--hostname", "bare-host", bare_image)
    return name


def helpers(daemon):
    return daemon.caisson("ps", "-aq", "-f", "label=caisson.debug").stdout.split()


def test_it_has_tools_where_the_container_has_none(daemon, bare):
    assert daemon.caisson("exec", bare, "sh", check=False).returncode != 0
    done = daemon.caisson("debug", bare, "sh", "-c", "cat /target/message; ls /target; ps | grep -c '[/]sleeper'")
    assert done.stdout == "hellomessage\nsleeper\n1\n" or done.stdout.startswith("hello")
    assert "sleeper" in done.stdout and done.stdout.endswith("1\n")
    assert helpers(daemon) == []


def test_it_shares_the_network(daemon, bare):
    address = daemon.caisson("inspect", "-f", "{{.NetworkSettings.Networks.bridge.IPAddress}}", bare).stdout.strip()
    assert address in daemon.caisson("debug", bare, "ip", "addr").stdout


def test_it_writes_to_the_container(daemon, bare):
    daemon.caisson("debug", bare, "sh", "-c", "echo changed > /target/message")
    out = daemon.caisson("cp", "-q", f"{bare}:/message", "-", check=False).stdout
    assert "changed" in out


def test_exit_status_and_wrong_input(daemon, bare):
    assert daemon.caisson("debug", bare, "sh", "-c", "exit 7", check=False).returncode == 7
    done = daemon.caisson("debug", "nobody", check=False)
    assert (done.returncode, done.stderr) == (1, "Error response from daemon: No such container: nobody\n")
    done = daemon.caisson("debug", bare, "nothing-of-the-kind", check=False)
    assert done.returncode != 0 and "nothing-of-the-kind" in done.stderr
    assert helpers(daemon) == []


def test_a_container_that_does_not_run(daemon, bare):
    daemon.caisson("stop", "-t", "0", bare)
    done = daemon.caisson("debug", bare, "cat", "/target/message")
    assert done.stdout == "hello"
    assert "does not run: /target is a copy" in done.stderr
    assert helpers(daemon) == []


def test_on_a_terminal(daemon, bare):
    child = pexpect.spawn(str(BIN / "caisson"), ["debug", bare], env=daemon.env(), encoding="utf-8", timeout=60)
    child.expect("# ")
    child.sendline("cat /target/mess'age'; echo do''ne")
    child.expect("hello")
    child.expect("done")
    child.sendline("exit 3")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 3
    assert helpers(daemon) == []
