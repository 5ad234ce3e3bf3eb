"""What podman and docker users do. A case returns what it saw; the same engine must see the same on its own runtime."""
import json
import os
import pathlib
import re
import signal
import time

from engines import Failed, IMAGE, until

CASES = []


def case(engines=("podman", "docker"), alone=False, long=False):
    """alone: the case asserts all of it, whatever the default runtime does; long: that one is not even tried."""

    def add(function):
        function.engines, function.alone, function.long = engines, alone, long
        CASES.append(function)
        return function

    return add


def check(condition, *shown):
    if not condition:
        raise Failed(" ".join(str(one) for one in shown) or "a condition does not hold")


def plain(text):
    """Without what differs from run to run."""
    text = re.sub(r"\b[0-9a-f]{64}\b", "<id>", text)
    return re.sub(r"\b[0-9a-f]{12}\b", "<id>", text)


# docker gives a terminal its size only once the program runs.
SIZE = 'until stty size | grep -qv "^0 0"; do sleep 0.05; done 2>/dev/null; stty size'


# What the engines think of the runtime.

@case(alone=True)
def version_is_understood(e):
    if e.name == "podman":
        found = json.loads(e.ok("info", "--format", "{{json .Host.OCIRuntime}}"))
        check(found["path"].endswith("/caisson-runtime") and found["version"].startswith("caisson-runtime version "), found)
        return None
    found = json.loads(e.ok("info", "--format", "{{json .}}"))
    check(found["DefaultRuntime"] == "caisson" and found["Runtimes"]["caisson"]["path"].endswith("/caisson-runtime"), found)
    # dockerd reads the lines of --version; what it cannot read it says in its log.
    log = (e.work / "daemon.log").read_text()
    check("failed to parse" not in log, log[-1000:])
    check(found["RuncCommit"]["ID"] not in ("", "N/A"), found["RuncCommit"])
    return None


# Run.

@case()
def run_streams_and_status(e):
    return e.run("--", "sh", "-c", "echo out; echo err >&2; exit 7").seen()


@case()
def run_standard_input(e):
    return e.run("--", "sh", "-c", "wc -c; echo end", stdin="x" * 100000).seen()


@case()
def run_on_terminal(e):
    done = e.on_terminal("run", "--rm", "-it", *e.flags(), IMAGE, "sh", "-c", "tty; " + SIZE + "; echo ready; read x; echo got $x; exit 4",
                         typed=b"word\n")
    return done.seen()


@case()
def killed_by_signal(e):
    return e.run("--", "sh", "-c", "kill -9 $$").code


@case()
def identity(e):
    script = "id; pwd; hostname; umask; echo $HOME $A; cat /proc/self/status | grep -E '^(Cap|NoNew|Seccomp:|Groups)'"
    flags = ["--hostname", "box", "-e", "A=b"]
    return [e.run(*flags, *more, "--", "sh", "-c", script).seen() for more in (
        [], ["--user", "1000:1000", "-w", "/tmp"], ["--user", "user", "--group-add", "2000"], ["--cap-drop", "ALL"],
        ["--cap-drop", "ALL", "--cap-add", "NET_RAW", "--cap-add", "SYS_TIME"],
        ["--security-opt", "no-new-privileges"], ["--security-opt", "seccomp=unconfined"])]


@case(alone=True)
def privileged(e):
    """runc 1.1 gives up when the host has not got every capability itself, so there may be nothing to compare with."""
    ours = lambda text: int(re.search(r"^CapEff:\s*(\w+)", text, re.M)[1], 16)
    host, admin = ours(pathlib.Path("/proc/self/status").read_text()), 1 << 21
    done = e.run("--privileged", "--", "grep", "-E", "^(CapEff|Seccomp:)", "/proc/self/status")
    check(done.code == 0 and "Seccomp:\t0" in done.out and ours(done.out) & admin and ours(done.out) & ~host == 0, done)
    name = e.create()
    ran = e.call("exec", "--privileged", name, "grep", "CapEff", "/proc/self/status")
    check(ran.code == 0 and ours(ran.out) == ours(done.out), ran)
    e.remove(name)


@case()
def capabilities_at_work(e):
    tries = "chown 1:1 /tmp; echo $?; mknod /tmp/n b 8 0; echo $?; mount -t tmpfs x /tmp; echo $?"
    return [e.run(*more, "--", "sh", "-c", tries).seen() for more in ([], ["--cap-drop", "ALL"], ["--cap-add", "SYS_ADMIN"])]


@case()
def seccomp_profile(e):
    profile = e.work / "profile.json"
    profile.write_text(json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5},
        {"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 1, "value": 10, "op": "SCMP_CMP_EQ"}]}]}))
    return e.run("--security-opt", f"seccomp={profile}", "--", "sh", "-c",
                 "mkdir /x; echo $?; kill -USR1 $$; echo $?; kill -0 $$; echo $?; grep -c Seccomp: /proc/self/status").seen()


@case()
def read_only_root(e):
    return e.run("--read-only", "--tmpfs", "/var:size=1m", "--", "sh", "-c",
                 "touch /x; echo $?; touch /var/x; echo $?; touch /etc/hosts; echo $?; df -k /var | tail -1 | awk '{print $2}'").seen()


@case()
def mounts(e):
    shared = e.work / "shared"
    (shared / "deep").mkdir(parents=True, exist_ok=True)
    (shared / "file").write_text("from the host\n")
    script = "cat /a/file; echo in > /a/new; echo $?; echo in > /b/new2; echo $?; cat /f; ls /a; grep -cE ' /(a|b|f|v|m) ' /proc/self/mountinfo"
    seen = e.run("-v", f"{shared}:/a", "-v", f"{shared}:/b:ro", "-v", f"{shared}/file:/f:ro", "-v", "named:/v",
                 "--mount", f"type=bind,source={shared}/deep,target=/m,readonly", "--", "sh", "-c", script).seen()
    e.ok("volume", "rm", "named")
    check(seen[0] == 0, seen)
    check((shared / "new").read_text() == "in\n", "the file written inside is outside")
    for path in ("new", "file"):
        (shared / path).unlink()
    return seen


@case()
def devices_and_masks(e):
    """Without /dev/core, which crun makes even when the kernel has no /proc/kcore to point at."""
    script = ("ls /dev | grep -vx core | sort | tr '\\n' ' '; ls -l /dev/null /dev/full | cut -c1-10; cat /proc/kcore /proc/keys | wc -c; echo 1 > /proc/sys/vm/swappiness; echo $?;"
              " head -c 4 /dev/zero | wc -c; echo x > /dev/full; echo $?; cat /dev/mine 2>&1 | wc -c; ls /sys/firmware | wc -l; df -k /dev/shm | tail -1 | awk '{print $2}'")
    return e.run("--device", "/dev/null:/dev/mine:r", "--shm-size", "2m", "--", "sh", "-c", script).seen()


@case()
def kernel_settings(e):
    script = "ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax; cat /proc/self/oom_score_adj"
    return e.run("--ulimit", "nofile=100:200", "--ulimit", "nproc=3000:3000", "--sysctl", "net.ipv4.ip_unprivileged_port_start=70", "--sysctl", "kernel.msgmax=1000",
                 "--oom-score-adj", "600", "--", "sh", "-c", script).seen()


@case()
def shared_namespaces(e):
    name = e.create("--ipc", "shareable")
    out = [e.run("--pid", f"container:{name}", "--ipc", f"container:{name}", "--", "sh", "-c", "ps -o args | grep -v ps | sort").seen()]
    out.append(e.run("--pid", "host", "--", "sh", "-c", "test -d /proc/%d && echo there" % e.pid(name)).seen())
    out.append(e.run("--uts", "host", "--", "hostname").seen())
    e.remove(name)
    return out


@case()
def networks(e):
    """Not by --network none, as the others: docker has the runtime call a hook of its own, podman gives a namespace by path."""
    server = e.new_name()
    parent = ["--cgroup-parent", "/" + e.parent]
    e.ok("run", "-d", "--name", server, *parent, IMAGE, "sh", "-c", "while true; do echo hello | nc -l -p 7000; done")
    address = e.ok("inspect", "--format", "{{.NetworkSettings.IPAddress}}", server)
    check(address, "an address")
    out = [e.call("run", "--rm", *parent, IMAGE, "sh", "-c",
                  f"for i in 1 2 3 4 5; do nc -w 2 {address} 7000 < /dev/null && exit 0; sleep 0.3; done; exit 1").seen()]
    out.append(e.call("run", "--rm", *parent, "--network", f"container:{server}", IMAGE, "sh", "-c", "ip -o link | wc -l; ip -4 -o addr | grep -c eth0").seen())
    out.append(e.call("run", "--rm", *parent, "--network", "host", IMAGE, "sh", "-c", "readlink /proc/self/ns/net").out.strip() == os.readlink("/proc/self/ns/net"))
    e.remove(server)
    return out


@case(engines=("podman",))
def user_namespace(e):
    return e.run("--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536", "--", "sh", "-c",
                 "cat /proc/self/uid_map /proc/self/gid_map; id -u; touch /x && stat -c %u /x; chown 1000 /x && stat -c %u /x").seen()


@case()
def cgroup_namespace(e):
    out = []
    for mode in ("private", "host"):
        done = e.run("--cgroupns", mode, "--", "sh", "-c", "grep :pids: /proc/self/cgroup || cat /proc/self/cgroup; ls /sys/fs/cgroup | grep -cE '^(pids|pids.max)$'")
        out.append([done.code, re.sub(r"/[^ \n]*[0-9a-f]{64}", "<path>", done.out), done.err])
    return out


@case()
def init_process(e):
    return e.run("--init", "--", "sh", "-c", "test $$ -ne 1; echo $?; cat /proc/1/comm").seen()


@case(alone=True)
def program_not_found(e):
    out = e.run("--", "no-such-program")
    check(out.code == 127, out)
    check('exec: "no-such-program": executable file not found in $PATH' in out.err, out)
    path = e.run("--", "/bin/no-such-program")
    check(path.code == 127 and "/bin/no-such-program" in path.err and "no such file or directory" in path.err, path)
    name = e.create()
    ran = e.call("exec", name, "no-such-program")
    check(ran.code in (126, 127) and "executable file not found in $PATH" in ran.out + ran.err, ran)
    e.remove(name)


@case(alone=True)
def program_not_executable(e):
    for program in ("/etc/plain", "/etc"):
        out = e.run("--", program)
        check(out.code == 126, out)
        check("permission denied" in out.err.lower() or "is a directory" in out.err.lower(), out)


@case()
def exit_statuses_of_what_cannot_run(e):
    name = e.create()
    out = [e.run(*words).code for words in (["--", "no-such"], ["--", "/bin/no-such"], ["--", "/etc/plain"], ["--", "/etc"],
                                             ["--entrypoint", "/no", "--", "x"], ["-w", "/etc/plain", "--", "true"])]
    out += [e.call("exec", name, *words).code for words in (["no-such"], ["/bin/no-such"], ["/etc/plain"], ["/etc"])]
    out += [e.call("exec", "-d", name, "no-such").code]
    e.remove(name)
    return out


# Exec.

@case()
def exec_streams_and_status(e):
    name = e.create()
    out = [e.call("exec", name, "sh", "-c", "echo out; echo err >&2; exit 9").seen(),
           e.call("exec", "-i", name, "wc", "-c", stdin="y" * 50000).seen(),
           e.call("exec", "-u", "1000:1000", "-w", "/tmp", "-e", "A=b", name, "sh", "-c", "id; pwd; echo $A $HOME; grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status").seen(),
           e.call("exec", name, "sh", "-c", "kill -15 $$").code]
    e.remove(name)
    return out


@case()
def exec_on_terminal(e):
    name = e.create()
    done = e.on_terminal("exec", "-it", name, "sh", "-c", "tty; " + SIZE + "; echo ready; read x; echo got $x; exit 4", typed=b"word\n")
    e.remove(name)
    return done.seen()


@case()
def exec_detached(e):
    name = e.create()
    e.ok("exec", "-d", name, "sh", "-c", "echo done > /tmp/mark; sleep 1000")
    until(lambda: e.call("exec", name, "cat", "/tmp/mark").out == "done\n", "the detached program has written")
    count = e.ok("exec", name, "sh", "-c", "ps | grep -c '[s]leep 1000'")
    e.remove(name)
    return count


@case()
def exec_many_at_once(e):
    name = e.create()
    running = [e.background("exec", name, "sh", "-c", f"echo {i}; exit {i}") for i in range(10)]
    out = []
    for one in running:
        text, _ = one.communicate(timeout=60)
        out.append([one.returncode, text])
    e.remove(name)
    return out


# Lifecycle.

@case()
def pause_and_unpause(e):
    name = e.create("--", "sh", "-c", "while true; do echo x >> /tmp/ticks; sleep 0.05; done")
    ticks = lambda: pathlib.Path(f"/proc/{e.pid(name)}/root/tmp/ticks").read_text().count("x")
    until(lambda: os.path.exists(f"/proc/{e.pid(name)}/root/tmp/ticks") and ticks() > 1, "ticks")
    e.ok("pause", name)
    out = [e.state(name, "Status"), e.state(name, "Paused")]
    before = ticks()
    time.sleep(0.3)
    out += [ticks() == before, e.call("exec", name, "true").code != 0, e.call("pause", name).code != 0]
    e.ok("unpause", name)
    until(lambda: ticks() > before, "ticks again")
    out += [e.state(name, "Status"), e.call("unpause", name).code != 0]
    e.ok("pause", name)
    e.remove(name)
    return out


def limit(e, name, v1, v2):
    """What stands in the cgroup file of a container."""
    pid = e.pid(name)
    controller, file = v1.split("/")
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            return pathlib.Path(f"/sys/fs/cgroup/{controller}{path}/{file}").read_text().strip()
        if not controllers and os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
            return pathlib.Path(f"/sys/fs/cgroup{path}/{v2}").read_text().strip()
    raise Failed(f"no {controller} cgroup of {name}")


FILES = (("memory/memory.limit_in_bytes", "memory.max"), ("memory/memory.memsw.limit_in_bytes", "memory.swap.max"),
         ("memory/memory.soft_limit_in_bytes", "memory.low"), ("cpu/cpu.shares", "cpu.weight"), ("cpu/cpu.cfs_quota_us", "cpu.max"),
         ("cpu/cpu.cfs_period_us", "cpu.max"), ("cpuset/cpuset.cpus", "cpuset.cpus"), ("pids/pids.max", "pids.max"))


def limits(e, name):
    out = {}
    for v1, v2 in FILES:
        try:
            out[v1] = limit(e, name, v1, v2)
        except OSError as error:
            out[v1] = error.strerror
    return out


@case()
def limits_from_the_start(e):
    name = e.create("--memory", "64m", "--memory-swap", "128m", "--memory-reservation", "32m", "--cpu-shares", "300", "--cpus", "0.5",
                    "--cpuset-cpus", "0", "--pids-limit", "40")
    out = limits(e, name)
    check("67108864" in out["memory/memory.limit_in_bytes"] and out["pids/pids.max"] == "40", out)
    e.remove(name)
    return out


@case(engines=("docker",))
def update(e):
    name = e.create("--memory", "64m")
    e.ok("update", "--memory", "96m", "--memory-swap", "200m", "--cpu-shares", "400", "--cpuset-cpus", "0", "--pids-limit", "50",
         "--cpu-quota", "20000", "--cpu-period", "50000", name)
    out = [limits(e, name)]
    e.ok("update", "--memory", "32m", "--memory-swap", "-1", name)
    out.append(limits(e, name))
    out.append(e.call("update", "--memory", "1m", name).code)
    e.remove(name)
    return out


@case(engines=("podman",))
def update_of_podman(e):
    name = e.create("--memory", "64m")
    e.ok("update", "--memory", "96m", "--memory-swap", "200m", "--cpu-shares", "400", "--cpus", "0.4", "--cpuset-cpus", "0", name)
    out = limits(e, name)
    e.remove(name)
    return out


@case()
def stats(e):
    name = e.create("--memory", "64m", "--", "sh", "-c", "sleep 1000 & sleep 1000")
    text = e.ok("stats", "--no-stream", "--format", "{{.MemUsage}}|{{.PIDs}}|{{.CPUPerc}}", name)
    memory, pids, cpu = text.split("|")
    used, total = memory.split(" / ")
    check(float(re.match(r"[\d.]+", used)[0]) > 0, text)
    e.remove(name)
    return [total, pids, bool(re.fullmatch(r"[\d.]+%", cpu))]


@case()
def top(e):
    name = e.create("--", "sh", "-c", "sleep 1000 & sleep 1001")
    until(lambda: "sleep 1001" in e.ok("top", name, *(["args"] if e.name == "podman" else ["-o", "pid,args"])), "sleep runs")
    text = e.ok("top", name, *(["args"] if e.name == "podman" else ["-o", "pid,args"]))
    e.remove(name)
    return sorted(re.sub(r"^\d+\s+", "", line).strip() for line in text.splitlines()[1:])


@case()
def health_check(e):
    name = e.create("--health-cmd", "test -e /tmp/well", "--health-interval", "1s" if e.name == "docker" else "disable", "--health-retries", "1")
    probe = (lambda: e.state(name, "Health.Status")) if e.name == "docker" else (lambda: [e.call("healthcheck", "run", name).code, e.state(name, "Healthcheck.Status")])
    sick = until(probe, "a state") if e.name == "podman" else until(lambda: probe() == "unhealthy" and probe(), "it is unhealthy")
    e.ok("exec", name, "touch", "/tmp/well")
    well = probe() if e.name == "podman" else until(lambda: probe() == "healthy" and probe(), "it is healthy")
    e.remove(name)
    return [sick, well]


@case()
def kill(e):
    name = e.create("--", "sh", "-c", "trap 'echo got usr1' USR1; trap 'echo got term; exit 3' TERM; echo ready; while true; do sleep 0.1; done")
    until(lambda: "ready" in e.ok("logs", name), "ready")
    e.ok("kill", "-s", "USR1", name)
    until(lambda: "got usr1" in e.ok("logs", name), "the signal was caught")
    e.ok("kill", "-s", "TERM", name)
    out = [e.ok("wait", name), e.ok("logs", name), e.call("kill", name).code != 0]
    e.remove(name)
    name = e.create()
    e.ok("kill", name)
    out += [e.ok("wait", name), e.state(name, "Status"), e.state(name, "OOMKilled")]
    e.remove(name)
    return out


@case()
def stop_and_start_again(e):
    name = e.create("--", "sh", "-c", "trap 'exit 5' TERM; echo run; while true; do sleep 0.1; done")
    until(lambda: "run" in e.ok("logs", name), "run")
    e.ok("stop", "-t", "10", name)
    out = [e.state(name, "ExitCode"), e.state(name, "Status")]
    e.ok("start", name)
    until(lambda: e.ok("logs", name).count("run") == 2, "run again")
    e.ok("restart", "-t", "10", name)
    until(lambda: e.ok("logs", name).count("run") == 3, "run a third time")
    e.remove(name)
    deaf = e.create("--", "sh", "-c", "trap '' TERM; while true; do sleep 0.1; done")
    e.ok("stop", "-t", "1", deaf)
    out += [e.state(deaf, "ExitCode")]
    e.remove(deaf)
    return out


@case()
def create_then_start(e):
    name = e.new_name()
    e.ok("create", "--name", name, *e.flags(), IMAGE, "sh", "-c", "echo hello; exit 6")
    out = [e.state(name, "Status"), e.call("start", "-a", name).seen(), e.state(name, "ExitCode"), e.ok("logs", name)]
    e.remove(name)
    return out


@case()
def restart_policy(e):
    name = e.create("--restart", "on-failure:2", "--", "sh", "-c", "echo try; exit 3")
    until(lambda: e.ok("logs", name).count("try") == 3 and e.state(name, "Status") == "exited", "three tries")
    out = [e.state(name, "ExitCode"), e.ok("inspect", "--format", "{{.RestartCount}}", name)]
    e.remove(name)
    return out


@case()
def attach(e):
    name = e.create("--", "sh", "-c", "until test -e /tmp/go; do sleep 0.05; done; echo out; sleep 0.2; exit 8")
    attached = e.background("attach", "--no-stdin", name)
    time.sleep(0.5)
    e.ok("exec", name, "touch", "/tmp/go")
    out, err = attached.communicate(timeout=30)
    e.remove(name)
    return [attached.returncode, out, err]


@case()
def copy(e):
    name = e.create()
    tree = e.work / "tree"
    (tree / "sub").mkdir(parents=True, exist_ok=True)
    (tree / "sub" / "file").write_text("copied\n")
    e.ok("cp", str(tree), f"{name}:/tmp/in")
    out = [e.ok("exec", name, "cat", "/tmp/in/sub/file")]
    e.ok("exec", name, "sh", "-c", "echo back > /tmp/out; ln -s out /tmp/link")
    e.ok("cp", f"{name}:/tmp/out", str(e.work / "out"))
    out.append((e.work / "out").read_text())
    out.append(e.call("cp", f"{name}:/none", str(e.work / "none")).code != 0)
    e.remove(name)
    return out


# Limits that are reached.

@case()
def out_of_memory(e):
    name = e.create("--memory", "16m", "--memory-swap", "16m", "--", "sh", "-c", "tail -c 90000000 /dev/zero; echo survived $?; sleep 1")
    e.ok("wait", name)
    out = [e.state(name, "ExitCode"), e.state(name, "OOMKilled"), e.ok("logs", name)]
    # conmon 2.1 does not notice it on cgroup v1, whatever the runtime: then podman says false.
    check(out[1] == "true" or e.name == "podman", out)
    e.remove(name)
    return out


@case()
def out_of_memory_of_process_1(e):
    name = e.create("--memory", "16m", "--memory-swap", "16m", "--", "tail", "-c", "90000000", "/dev/zero")
    e.ok("wait", name)
    out = [e.state(name, "ExitCode"), e.state(name, "OOMKilled") if e.name == "docker" else None]
    check(out[1] in ("true", None), out)
    e.remove(name)
    return out


@case()
def too_many_processes(e):
    done = e.run("--pids-limit", "5", "--", "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 2 & done; echo all; wait")
    return [done.code, "can't fork" in done.err]


# Many, and violence.

@case(alone=True, long=True)
def two_hundred_in_a_row(e):
    for i in range(200):
        name = f"row{i}"
        done = e.call("run", "--rm", "--name", name, *e.flags(), IMAGE, "sh", "-c", f"echo {i}; exit {i % 100}")
        check(done.code == i % 100 and done.out == f"{i}\n", i, done)


@case(alone=True, long=True)
def twenty_at_once(e):
    running = [e.background("run", "--rm", *e.flags(), IMAGE, "sh", "-c", f"echo {i}; exit {i}") for i in range(20)]
    for i, one in enumerate(running):
        out, err = one.communicate(timeout=100)
        check(one.returncode == i and out == f"{i}\n", i, one.returncode, out, err)


@case()
def supervisor_killed(e):
    """SIGKILL of conmon or of containerd-shim leaves a container that can be removed. podman 4.3 then calls no `delete`, so
    that the runtime's record stays, with any runtime; it must be one that can be deleted."""
    name = e.create()
    pid = e.pid(name)
    os.kill(e.supervisor(name), signal.SIGKILL)
    if e.name == "docker":
        until(lambda: e.state(name, "Status") == "exited", "dockerd noticed")
    e.remove(name)
    until(lambda: not os.path.exists(f"/proc/{pid}") or "\nState:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text(), "its process has ended")
    left = e.recorded()
    for one in left:
        e.delete_behind(one)
    return len(left)


@case(alone=True)
def init_killed_while_paused(e):
    name = e.create()
    e.ok("pause", name)
    e.remove(name)
    name = e.create()
    os.kill(e.pid(name), signal.SIGKILL)
    e.wait_state(name, "exited")
    check(e.state(name, "ExitCode") == "137", e.state(name, "ExitCode"))
    e.remove(name)


@case(engines=("podman",))
def pods(e):
    e.ok("pod", "create", "--name", "p", "--infra=false", "--cgroup-parent", "/" + e.parent)
    done = e.call("run", "--rm", "--pod", "p", "--network", "none", IMAGE, "echo", "in a pod")
    e.ok("pod", "rm", "-f", "p")
    return done.seen()
