"""The runtimes alone, each on the same bundles, beside floor.c."""
import json
import os
import pathlib
import shutil
import subprocess

from engines import runtimes
from measure import LIBC, Spawned, all_at_once, peak_rss_kib, wall

PR_SET_CHILD_SUBREAPER = 36
SECCOMP = pathlib.Path(__file__).parent / "../src/engine/data/seccomp_default.json"


def default_seccomp():
    """docker's default profile as it stands in the config.json of an ordinary container."""
    profile = json.loads(SECCOMP.read_text())
    section = {"defaultAction": profile["defaultAction"], "defaultErrnoRet": profile["defaultErrnoRet"],
               "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"], "syscalls": []}
    for rule in profile["syscalls"]:
        includes = rule.get("includes", {})
        if "caps" in includes or "amd64" not in includes.get("arches", ["amd64"]) or "amd64" in rule.get("excludes", {}).get("arches", []):
            continue
        section["syscalls"].append({key: rule[key] for key in ("names", "action", "args", "errnoRet") if rule.get(key) is not None})
    return section


def bundle(fs, name, change):
    """runc's own default configuration with limits, and what `change` does to it."""
    directory = f"{fs}/bundle-{name}"
    os.makedirs(directory)
    spec = json.loads((pathlib.Path(fs) / "spec.json").read_text())
    change(spec)
    json.dump(spec, open(f"{directory}/config.json", "w"))
    return directory


def base_spec(fs, binaries):
    program = runtimes(binaries).get("runc", f"{binaries}/caisson-runtime")
    os.makedirs(f"{fs}/spec")
    subprocess.run([program, "spec"], cwd=f"{fs}/spec", check=True)
    spec = json.load(open(f"{fs}/spec/config.json"))
    spec["root"] = {"path": f"{fs}/root"}
    spec["process"].update(terminal=False, args=["/bin/true"])
    spec["process"].pop("rlimits", None)
    # runc 1.1 writes an ambient set without an inheritable one, which no kernel takes.
    spec["process"]["capabilities"]["ambient"] = []
    spec["linux"]["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 100}}
    json.dump(spec, open(f"{fs}/spec.json", "w"))


def without_network(spec):
    spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] != "network"]


def without_cgroup(spec):
    """No limits, no namespace, no mount; the cgroups themselves are made by all."""
    spec["linux"]["namespaces"] = [one for one in spec["linux"]["namespaces"] if one["type"] != "cgroup"]
    spec["mounts"] = [one for one in spec["mounts"] if one["type"] != "cgroup"]
    del spec["linux"]["resources"]


def with_seccomp(spec):
    spec["linux"]["seccomp"] = default_seccomp()


def sleeping(spec):
    spec["process"]["args"] = ["/bin/sleep", "100000"]


def part_runtime(table, fs, binaries, floor):
    base_spec(fs, binaries)
    found, number = runtimes(binaries), iter(range(10**9))
    # Where they all keep their state: a tmpfs, as /run is.
    state = f"{fs}/state"
    os.mkdir(state)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", state], check=True)

    def argv(who, directory):
        return [found[who], "--root", f"{state}/{who}", "run", "--bundle", directory, f"b{next(number)}"]

    def take_turns(name, commands, rounds, before=lambda who: None):
        """Wall time, and in the same runs the processor time of the process and of all that it waited for: what a loaded
        machine changes little."""
        cpu = {who: [] for who in commands}

        def once(who):
            before(who)
            process = Spawned(commands[who]())
            process.wait()
            cpu[who].append((process.usage.ru_utime + process.usage.ru_stime) * 1000)
            return process.wall

        table.take_turns(name, "ms", {who: (lambda who=who: once(who)) for who in commands}, rounds, warm=3, reference="caisson-runtime")
        table.add(f"{name}, processor time", "ms", cpu, reference="caisson-runtime")

    def row(name, change, flags, before=lambda who: None, rounds=60):
        directory = bundle(fs, "".join(filter(str.isalnum, name)), change)
        commands = {who: (lambda who=who: argv(who, directory)) for who in found}
        commands["floor"] = lambda: [floor, "-r", f"{fs}/root", "-m", *flags, "--", "/bin/true"]
        take_turns(f"runtime: run /bin/true, {name}", commands, rounds, before)
        return directory

    full = row("all namespaces, limits", lambda spec: None, ["-n", "-c", "bench"])
    row("without network namespace", without_network, ["-c", "bench"])
    row("without limits and cgroup namespace", without_cgroup, ["-n", "-c", "bench"])
    row("with docker's seccomp profile", with_seccomp, ["-n", "-s", "-c", "bench"])
    forget = lambda who: shutil.rmtree(f"{state}/{who}/.cache", ignore_errors=True)
    row("with a seccomp profile never seen before", with_seccomp, ["-n", "-s", "-c", "bench"], forget, 20)

    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    directory = bundle(fs, "sleep", sleeping)
    for who in found:
        wall([found[who], "--root", f"{state}/{who}", "run", "--detach", "--bundle", directory, f"long-{who}"])
    commands = {who: (lambda who=who: [found[who], "--root", f"{state}/{who}", "exec", f"long-{who}", "/bin/true"]) for who in found}
    take_turns("runtime: exec /bin/true", commands, 60)
    for who in found:
        wall([found[who], "--root", f"{state}/{who}", "delete", "--force", f"long-{who}"])
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)

    cases = {who: (lambda who=who: all_at_once([argv(who, full) for _ in range(20)])) for who in found}
    cases["floor"] = lambda: all_at_once([[floor, "-r", f"{fs}/root", "-m", "-n", "-c", "bench", "--", "/bin/true"]] * 20)
    table.take_turns("runtime: 20 at once, until the last ends", "ms", cases, 10, reference="caisson-runtime")
    cases = {who: (lambda who=who: peak_rss_kib(argv(who, full), f"{fs}/rss")) for who in found}
    table.take_turns("runtime: peak RSS", "MiB", cases, 5, scale=1 / 1024, reference="caisson-runtime")
