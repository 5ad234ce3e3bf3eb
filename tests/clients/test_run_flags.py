"""The flags of `run`, one row each: what the container sees of them, by docker's own clients and ours."""
import json
import re

import pytest

from conftest import Daemon, run

IMAGE = "busybox"
CGROUP = "/sys/fs/cgroup"

# flags, a shell command in the container, what it prints (a regular expression for the whole text)
ROWS = [
    (["--hostname", "box", "--domainname", "example.org"], "hostname; cat /proc/sys/kernel/domainname", "box\nexample.org"),
    (["--user", "nobody"], "id -u -n", "nobody"),
    (["--user", "7:8", "--group-add", "44", "--group-add", "www-data"], "id -G", "8 33 44"),
    (["--workdir", "/made/here"], "pwd", "/made/here"),
    (["-e", "A=1", "-e", "PATH=/bin:/sbin:/x"], "echo $A $PATH", "1 /bin:/sbin:/x"),
    (["--entrypoint", "/bin/echo"], None, "-c true"),
    (["--read-only", "--tmpfs", "/t:size=1m,mode=700"],
     "touch /x 2>/dev/null || echo refused; touch /t/x; stat -c %a /t; grep ' /t ' /proc/mounts | grep -o 'size=[0-9]*k'", "refused\n700\nsize=1024k"),
    (["--shm-size", "3m"], "grep ' /dev/shm ' /proc/mounts | grep -o 'size=[0-9]*k'", "size=3072k"),
    (["--ulimit", "nofile=77:99", "--ulimit", "core=0"], "ulimit -n; ulimit -Hn; ulimit -c", "77\n99\n0"),
    (["--sysctl", "net.ipv4.ip_forward=0", "--sysctl", "kernel.msgmax=9999"],
     "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax", "0\n9999"),
    (["--oom-score-adj", "321"], "cat /proc/self/oom_score_adj", "321"),
    (["--cap-drop", "ALL", "--cap-add", "CHOWN"], "grep CapEff /proc/self/status", r"CapEff:\s+0+1"),
    (["--security-opt", "no-new-privileges"], "grep NoNewPrivs /proc/self/status", r"NoNewPrivs:\s+1"),
    (["--security-opt", "seccomp=unconfined"], "grep 'Seccomp:' /proc/self/status", r"Seccomp:\s+0"),
    ([], "grep 'Seccomp:' /proc/self/status", r"Seccomp:\s+2"),
    (["--security-opt", "systempaths=unconfined"], "grep ' /proc/sys ' /proc/mounts || echo none", "none"),
    (["--device", "/dev/net/tun:/dev/tap:r"],
     "(exec 3</dev/tap) && echo opened; (exec 3<>/dev/tap) 2>/dev/null || echo refused", "opened\nrefused"),
    (["--device", "/dev/net"], "ls /dev/net", "tun"),
    (["--device-cgroup-rule", "c 1:11 rwm"], f"grep -c '1:11 rwm' {CGROUP}/devices/devices.list", "1"),
    (["--pid", "host"], "test $(ls -d /proc/[0-9]* | wc -l) -gt 3 && echo many", "many"),
    (["--uts", "host"], "readlink /proc/self/ns/uts", "HOST:uts"),
    (["--ipc", "host"], "readlink /proc/self/ns/ipc", "HOST:ipc"),
    (["--network", "host"], "readlink /proc/self/ns/net", "HOST:net"),
    (["--cgroupns", "private"], "grep -c /docker/ /proc/self/cgroup || true", "0"),
    (["--cgroupns", "host"], "test $(grep -c /docker/ /proc/self/cgroup) -gt 0 && echo seen", "seen"),
    (["--network", "none"], "ls /sys/class/net", "lo"),
    (["--mac-address", "02:42:ac:11:00:99"], "cat /sys/class/net/eth0/address", "02:42:ac:11:00:99"),
    (["--add-host", "db:10.1.2.3", "--add-host", "gw:host-gateway"],
     "grep -c 'db$' /etc/hosts; grep gw /etc/hosts | cut -f1; ip route | grep default | cut -d' ' -f3", r"1\n([0-9.]+)\n\1"),
    (["--dns", "9.9.9.9", "--dns-search", "example.org", "--dns-option", "ndots:3"], "cat /etc/resolv.conf",
     "nameserver 9.9.9.9\nsearch example.org\noptions ndots:3"),
    (["-m", "64m", "--memory-reservation", "32m", "--memory-swap", "96m"],
     f"cd {CGROUP}/memory; cat memory.limit_in_bytes memory.soft_limit_in_bytes", f"{64 << 20}\n{32 << 20}"),
    (["--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0"],
     f"cat {CGROUP}/cpu/cpu.cfs_quota_us {CGROUP}/cpu/cpu.shares {CGROUP}/cpuset/cpuset.cpus", "50000\n512\n0"),
    (["--pids-limit", "55"], f"cat {CGROUP}/pids/pids.max", "55"),
    (["--privileged"], "mkdir /m; mount -t tmpfs x /m && echo mounted", "mounted"),
    (["--init"], "cat /proc/1/comm", "docker-init|caisson-init"),
    (["--annotation", "a=b"], "echo ok", "ok"),
    (["--runtime", "runc"], "echo ok", "ok"),
    (["--stop-signal", "INT", "--stop-timeout", "3", "--label", "a=b", "--expose", "81"], "echo ok", "ok"),
    (["-v", "/etc:/host:ro"], "touch /host/x 2>/dev/null || echo refused", "refused"),
    (["--mount", "type=tmpfs,target=/t,tmpfs-size=2m,tmpfs-mode=1750"],
     "stat -c %a /t; grep ' /t ' /proc/mounts | grep -o 'size=[0-9]*k'", "1750\nsize=2048k"),
    (["--mount", "type=bind,source=/etc,target=/host,readonly,bind-propagation=rslave"],
     "grep -c ' /host .* master:' /proc/self/mountinfo; touch /host/x 2>/dev/null || echo refused", "[01]\nrefused"),
]
SINCE_20 = {"--annotation"}  # unknown to the older client
IGNORED_BY_20 = {"--network-alias", "--ip"}  # without --network it leaves them out of its request


@pytest.mark.parametrize("flags,command,expected", ROWS, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_a_flag(client, flags, command, expected):
    if SINCE_20 & set(flags) and " 20." in client.out("--version"):
        pytest.skip("not a flag of this client")
    argv = ["sh", "-c", command] if command else ["-c", "true"]
    done = client("run", "--rm", *flags, IMAGE, *argv, check=False)
    assert done.returncode == 0, done.stderr
    text = done.stdout.strip("\n")
    if expected.startswith("HOST:"):
        expected = re.escape(run("readlink", f"/proc/self/ns/{expected[5:]}").stdout.strip())
    assert re.fullmatch(expected, text), f"{text!r} is not {expected!r}"


@pytest.mark.parametrize("flags,message", [
    (["--link", "nobody"], "could not get container for nobody"),
    (["--network-alias", "x"], "network-scoped alias"),
    (["--ip", "10.1.2.3"], "user specified IP address is supported on user defined networks only|user-defined networks only"),
    (["--storage-opt", "size=1G"], "--storage-opt is supported only for overlay over xfs with 'pquota' mount option"),
    (["--runtime", "nobody"], "unknown or invalid runtime name: nobody"),
    (["--restart", "always", "--rm"], "(?i)conflicting options: .*--restart and --rm|AutoRemove"),
    (["--device", "/dev/nothing"], "no such file or directory"),
    (["--gpus", "all"], "could not select device driver"),
    (["--volumes-from", "nobody"], "No such container: nobody"),
    (["--mount", "type=bind,source=/nowhere,target=/m"], "bind source path does not exist: /nowhere"),
    (["--cap-add", "FLY"], "unknown capability"),
    (["--security-opt", "what=ever"], "invalid --security-opt"),
    (["--user", "nobody-here"], "unable to find user nobody-here"),
    (["--oom-score-adj", "2000"], "range for oom score adj is"),
    (["--memory", "1m"], "Minimum memory limit allowed is 6MB"),
    (["--cpuset-cpus", "4000"], "Requested CPUs are not available"),
    (["--network", "nowhere"], "network nowhere not found"),
    (["-p", "70000:80"], "invalid|Invalid"),
])
def test_a_wrong_flag(client, flags, message):
    if IGNORED_BY_20 & set(flags) and " 20." in client.out("--version"):
        pytest.skip("the client does not send it")
    done = client("run", "--rm", *flags, IMAGE, "true", check=False)
    # 127 is docker's for "no such file or directory", whatever it is that is missing.
    assert done.returncode == (127 if "no such file" in message else 125)
    assert re.search(message, done.stderr), done.stderr


@pytest.mark.parametrize("name", ["runc", "crun"])
def test_other_runtimes(name):
    path = run("sh", "-c", f"command -v {name}").stdout.strip()
    daemon = Daemon(f"with-{name}", "--add-runtime", f"other={path}").start()
    try:
        done = daemon.caisson("run", "--rm", "--runtime", "other", IMAGE, "sh", "-c", "echo out; exit 4", check=False)
        if "cgroups in hybrid mode not supported" in done.stderr:
            pytest.skip("crun takes no host with both versions of cgroups")
        assert (done.returncode, done.stdout) == (4, "out\n"), done.stderr
        daemon.caisson("run", "-d", "--name", "box", "--runtime", "other", "-m", "64m", "-v", "/etc:/host:ro", IMAGE, "sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.1; done")
        assert daemon.caisson("exec", "box", "echo", "inside").stdout == "inside\n"
        assert daemon.caisson("exec", "box", "sh", "-c", "touch /host/x 2>/dev/null || echo refused").stdout == "refused\n"
        assert json.loads(daemon.caisson("inspect", "box").stdout)[0]["HostConfig"]["Runtime"] == "other"
        daemon.caisson("pause", "box")
        daemon.caisson("unpause", "box")
        daemon.caisson("stop", "-t", "20", "box")
        assert daemon.caisson("inspect", "-f", "{{.State.ExitCode}}", "box").stdout == "3\n"
        daemon.caisson("rm", "box")
    finally:
        daemon.stop()
