"""inspect --as-run: what it prints makes a container of which inspect says the same."""
import json
import shlex
import subprocess

import pytest

IMAGE = "busybox"

COMMAND_LINES = [
    "busybox sleep 1000",
    "--rm -i busybox cat",
    "-e A=1 -e 'B=a b' -l x=y -w /tmp -u 1:2 --hostname h --domainname d busybox sleep 1000",
    "--entrypoint sleep busybox 1000",
    "-p 127.0.0.1:0:80 -p 81/udp --expose 99 busybox sleep 1000",
    "-v /tmp:/a:ro -v named-volume:/b -v /anonymous --tmpfs /t:size=1m busybox sleep 1000",
    "--mount type=bind,source=/tmp,target=/a,readonly --mount type=tmpfs,target=/t,tmpfs-size=1m busybox sleep 1000",
    "-m 64m --cpus 0.5 --pids-limit 50 --cpu-shares 100 --ulimit nofile=100:200 --shm-size 1m busybox sleep 1000",
    "--cap-add NET_ADMIN --cap-drop CHOWN --security-opt no-new-privileges --read-only busybox sleep 1000",
    "--restart on-failure:2 --stop-signal INT --stop-timeout 3 --oom-score-adj 5 busybox sleep 1000",
    "--network none --dns 1.1.1.1 --dns-search x --add-host a:1.2.3.4 busybox sleep 1000",
    "--health-cmd true --health-interval 30s --health-retries 2 busybox sleep 1000",
    "--pid host --ipc host --uts host busybox sleep 1000",
    "--sysctl net.ipv4.ip_forward=1 --annotation a=b --group-add 5 --log-opt max-size=1m busybox sleep 1000",
]


def description(daemon, name):
    """What inspect says, without what is of one run only."""
    found = json.loads(daemon.caisson("inspect", name).stdout)[0]
    config, host = found["Config"], found["HostConfig"]
    if config["Hostname"] == found["Id"][:12]:
        config["Hostname"] = "<id>"
    for part in (config.get("Env"), host.get("Binds")):
        if part:
            part.sort()
    networks = {network: (endpoint["IPAMConfig"], endpoint["DriverOpts"], endpoint["Links"])
                for network, endpoint in found["NetworkSettings"]["Networks"].items()}
    return {"Path": found["Path"], "Args": found["Args"], "Config": config, "HostConfig": host, "Networks": networks}


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_round_trip(daemon, names, line):
    name = names()
    daemon.caisson("run", "-d", "--name", name, *shlex.split(line))
    first = description(daemon, name)
    printed = daemon.caisson("inspect", "--as-run", name).stdout
    assert printed.startswith("caisson run ") and printed.count("\n") == 1
    daemon.caisson("rm", "-f", name)
    # As a user would: in a shell.
    script = printed.replace("caisson run", f"{shlex.quote(str(_program(daemon)))} run", 1)
    done = subprocess.run(["sh", "-c", script], env=daemon.env(), capture_output=True, text=True)
    assert done.returncode == 0, (printed, done.stderr)
    assert description(daemon, name) == first, printed


def _program(daemon):
    from conftest import BIN
    return BIN / "caisson"


def test_wrong_input(daemon, names):
    done = daemon.caisson("inspect", "--as-run", "nobody", check=False)
    assert (done.returncode, done.stderr) == (1, "Error response from daemon: No such container: nobody\n")
    done = daemon.caisson("inspect", "--as-run", "--type", "image", IMAGE, check=False)
    assert (done.returncode, done.stderr) == (1, "--as-run is of containers: there is no image to run\n")
    done = daemon.caisson("inspect", "--as-run", "-f", "x", "nobody", check=False)
    assert done.stderr == "conflicting options: cannot specify both --as-run and --format\n"


def test_one_line_for_each(daemon, names):
    first, second = names(), names()
    for name in (first, second):
        daemon.caisson("create", "--name", name, IMAGE)
    done = daemon.caisson("inspect", "--as-run", first, "nobody", second, check=False)
    assert done.returncode == 1
    assert done.stdout == f"caisson run --name={first} {IMAGE}\ncaisson run --name={second} {IMAGE}\n"
