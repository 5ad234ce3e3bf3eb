"""What an engine without containers must not have: anything of one. Looked for where the kernel and the disk keep it."""
import os
import pathlib
import re
import sqlite3
import subprocess

ID = re.compile(r"[0-9a-f]{64}")


def names_in(path):
    """Without what starts with a dot: caches and trash, which belong to no container."""
    return sorted(name for name in os.listdir(path) if not name.startswith(".")) if os.path.isdir(path) else []


def processes(daemon):
    """Command lines of what runs for this daemon, itself left out."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            command = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            state = pathlib.Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state != "Z" and "caisson-shim" in command and str(daemon.dir) in command:
            found.append(f"{entry}: {command}")
    return found


def cgroups(ids):
    found = []
    for root, directories, _ in os.walk("/sys/fs/cgroup"):
        found += [os.path.join(root, name) for name in directories if name in ids]
        directories[:] = [name for name in directories if name not in ids]
    return found


def rows(daemon):
    """What the state store has of containers: table and key."""
    database = sqlite3.connect(f"file:{daemon.dir}/data/caisson.db?mode=ro", uri=True)
    try:
        queries = {"containers": "SELECT name FROM containers", "endpoints": "SELECT container_id FROM endpoints",
                   "snapshots": "SELECT key FROM snapshots WHERE kind = 1", "volumes": "SELECT name FROM volumes"}
        return {table: sorted(row[0] for row in database.execute(query)) for table, query in queries.items()}
    finally:
        database.close()


def links():
    out = subprocess.run(["ip", "-o", "link"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return sorted(line.split(": ")[1].split("@")[0] for line in out.splitlines() if "@" in line.split(": ")[1])


def of_containers(daemon, ids=()):
    """{where: what}, without what is empty. `ids`: of all containers that there ever were, for the cgroups."""
    data, execution = daemon.dir / "data", daemon.dir / "exec"
    mounts = [line.split()[4] for line in open("/proc/self/mountinfo") if str(daemon.dir) in line.split()[4]]
    found = {
        "processes": processes(daemon),
        "run directories": [name for name in names_in(execution / "containers") if ID.fullmatch(name)],
        "runtime state": names_in(execution / "runtime"),
        "name files": names_in(execution / "names"),
        "shm mounts": names_in(execution / "shm"),
        "mounts": mounts,
        "data directories": names_in(data / "containers"),
        "volume notes": names_in(data / "volume-notes"),
        "volume directories": names_in(data / "volumes"),
        "links": links(),
        "cgroups": cgroups(set(ids)),
    }
    found.update({f"rows of {table}": keys for table, keys in rows(daemon).items()})
    return {where: what for where, what in found.items() if what}
