"""Containers that share something: namespaces, volumes, and the errors where they can't."""
import json
import re

import pytest

IMAGE = "busybox"


def test_namespaces_of_another_container(client, names):
    owner = names()
    client("run", "-d", "--name", owner, "--ipc", "shareable", "--hostname", "owner", IMAGE, "sh", "-c", "echo x > /dev/shm/mark; exec sleep 1000")

    def inside(*flags, command):
        return client.out("run", "--rm", *flags, IMAGE, "sh", "-c", command)

    def of(kind):
        return client.out("exec", owner, "readlink", f"/proc/1/ns/{kind}")

    assert inside("--network", f"container:{owner}", command="readlink /proc/self/ns/net; hostname") == f"{of('net')}\nowner"
    assert inside("--pid", f"container:{owner}", command="readlink /proc/self/ns/pid; ps | grep -c 'sleep 1000'").splitlines()[0] == of("pid")
    assert inside("--ipc", f"container:{owner}", command="readlink /proc/self/ns/ipc; cat /dev/shm/mark") == f"{of('ipc')}\nx"
    private = names()
    client("run", "-d", "--name", private, IMAGE, "sleep", "1000")
    refused = client("run", "--rm", "--ipc", f"container:{private}", IMAGE, "true", check=False)
    assert refused.returncode != 0 and "IPC" in refused.stderr
    client("stop", "-t", "0", private)
    for flag in ("--network", "--pid", "--ipc"):
        refused = client("run", "--rm", flag, f"container:{private}", IMAGE, "true", check=False)
        assert refused.returncode == 125 and "non running container" in refused.stderr, refused.stderr


def test_volumes_of_another_container(client, names):
    owner, volume = names(), names()
    client("create", "--name", owner, "-v", f"{volume}:/data", "-v", "/anonymous", "-v", "/etc:/host:ro", IMAGE)
    assert client.out("run", "--rm", "--volumes-from", owner, IMAGE, "sh", "-c",
                      "touch /data/x && touch /anonymous/y && (touch /host/z 2>/dev/null || echo refused)") == "refused"
    assert client.out("run", "--rm", "--volumes-from", f"{owner}:ro", IMAGE, "sh", "-c",
                      "ls /data /anonymous; touch /data/z 2>/dev/null || echo refused").split() == ["/anonymous:", "y", "/data:", "x", "refused"]
    # What another one inherits from it is the same, and stays when the one that inherited goes.
    middle = names()
    client("create", "--name", middle, "--volumes-from", owner, "-v", "/tmp:/data", IMAGE)
    shown = {mount["Destination"]: mount for mount in json.loads(client.out("inspect", "-f", "{{json .Mounts}}", middle))}
    assert shown["/data"]["Type"] == "bind" and shown["/anonymous"]["Type"] == "volume"
    client("rm", "-v", middle)
    assert client.out("run", "--rm", "--volumes-from", owner, IMAGE, "ls", "/anonymous") == "y"
    client("rm", "-v", owner)
    client("volume", "rm", volume)


@pytest.mark.parametrize("flags,message", [
    (["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"], "is not in a separate kernel namespace"),
    (["--ipc", "host", "--sysctl", "kernel.msgmax=9"], "is not in a separate kernel namespace"),
    (["--network", "container:nobody"], "No such container: nobody"),
    (["--network", "container:"], "invalid container format container:<name.id>"),
    (["--pid", "container:nobody"], "No such container: nobody"),
    (["--network", "host", "--hostname", "x", "--uts", "host"], "conflicting options: hostname and the UTS mode"),
    (["--network", "container:x", "-p", "80"], "conflicting options: port publishing and the container type network mode"),
    (["--network", "container:x", "--dns", "1.1.1.1"], "conflicting options: dns and the network mode"),
    (["--network", "container:x", "--add-host", "a:1.1.1.1"], "conflicting options: custom host-to-IP mapping and the network mode"),
    (["--network", "host", "--link", "x"], "conflicting options: host type networking can't be used with links|links are only supported for user-defined networks"),
    (["-v", "/a:/b", "-v", "/c:/b"], "Duplicate mount point: /b"),
    (["-v", "/a:relative"], "invalid mount path: 'relative' mount path must be absolute"),
    (["-v", "/a:/"], "destination can't be '/'"),
    (["-v", "x!y:/b"], "includes invalid characters for a local volume name"),
    (["-v", "/a:/b:sometimes"], "invalid mode: sometimes|invalid volume specification"),
    (["--tmpfs", "/t:colour=red"], r"invalid tmpfs option \[\"colour=red\"\]"),
    (["--device-cgroup-rule", "x 1:3 rwm"], "invalid device cgroup format"),
    (["--read-only", "--workdir", "relative"], "the working directory 'relative' is invalid, it needs to be an absolute path"),
    (["--log-driver", "carrier-pigeon"], "carrier-pigeon"),
    (["--health-interval", "1us", "--health-cmd", "true"], "Interval in Healthcheck cannot be less than 1ms"),
    (["--shm-size", "-1"], "invalid size|SHM size|invalid argument"),
    (["--add-host", "nocolon"], "bad format for add-host|invalid IP address"),
    (["--memory-swappiness", "200"], "Valid memory swappiness range is 0-100|valid memory swappiness range is 0-100"),
    (["--cpus", "1000"], "Range of CPUs is from 0.01 to"),
    (["--stop-signal", "NOSUCH"], "(?i)invalid signal: NOSUCH"),
    (["--mac-address", "nonsense"], "(?i)not a valid mac address|invalid MAC"),
    (["--ulimit", "nofile=9:3"], "ulimit soft limit must be less than or equal to hard limit"),
])
def test_what_is_refused(client, flags, message):
    done = client("run", "--rm", *flags, IMAGE, "true", check=False)
    assert done.returncode in (125, 127), done
    assert re.search(message, done.stderr), done.stderr
