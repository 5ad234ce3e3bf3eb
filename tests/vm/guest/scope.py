"""For cases of the systemd cgroup driver: containers as scopes, with `systemctl show` as the judge."""
import contextlib
import json
import os
import pathlib
import shutil
import subprocess

from bundle import Bundle, check, run

V1 = os.environ.get("HIERARCHY", "unified") != "unified"
PREFIX = "case"


def systemctl(*arguments, user=None):
    command = ["systemctl", *arguments]
    if user is not None:
        command = ["runuser", "-u", user.name, "--", "env", f"XDG_RUNTIME_DIR={user.runtime_dir}", "systemctl", "--user", *arguments]
    return run(*command).stdout


def show(unit, *properties, user=None):
    """The properties as systemd prints them, "DeviceAllow" as the list of its lines."""
    found = {name: "" for name in properties}
    for line in systemctl("show", unit, *[f"--property={name}" for name in properties], user=user).splitlines():
        name, _, value = line.partition("=")
        if name == "DeviceAllow":
            found[name] = [*(found[name] or []), value]
        elif name in found:
            found[name] = value
    return found


def has(unit, **wanted):
    found = show(unit, *wanted)
    for name, value in wanted.items():
        check(found[name] == str(value), f"{unit}: {name} is {value}", f"is {found[name]}")


def units(user=None):
    """Whatever containers left at systemd: scopes of ours, alive or failed."""
    text = systemctl("list-units", "--all", "--plain", "--no-legend", f"{PREFIX}-*.scope", "caisson-*.scope", "docker-*.scope", user=user)
    return [line.split()[0] for line in text.splitlines() if line.strip()]


def directories(name):
    """The cgroups of that name in every hierarchy."""
    found = run("find", "/sys/fs/cgroup", "-type", "d", "-name", name).stdout.split()
    return sorted(found)


def file_of(controller, control_group, name):
    """A cgroup's file: v1's in the controller's hierarchy."""
    root = f"/sys/fs/cgroup/{controller}" if V1 else "/sys/fs/cgroup"
    try:
        return pathlib.Path(f"{root}{control_group}/{name}").read_text().rstrip("\n")
    except OSError as error:
        return error.strerror


class Scopes(Bundle):
    """A bundle whose containers systemd puts into scopes."""

    def __init__(self, *options):
        super().__init__(*(options or ("--systemd-cgroup",)))

    def __exit__(self, *_):
        shutil.rmtree(self.directory)

    def change(self, annotations=None, resources=None, path=None):
        file = self.directory / "config.json"
        config = json.loads(file.read_text())
        if annotations is not None:
            config["annotations"] = annotations
        if resources is not None:
            config["linux"]["resources"] = resources
        if path is not None:
            config["linux"]["cgroupsPath"] = path
        file.write_text(json.dumps(config))

    def start(self, name, path=None, args=("sleep", "100000"), annotations=None, environment=None, verb=("run", "--detach"), **more):
        self.configure(list(args), cgroups_path=f"{PREFIX}.slice:{PREFIX}:{name}" if path is None else path, **more)
        self.change(annotations=annotations)
        # Not through a pipe: the container would hold it.
        with open(self.directory / "output", "w+") as output:
            made = subprocess.run([*self.command, *verb, "--bundle", str(self.directory), name], stdin=subprocess.DEVNULL,
                                  stdout=output, stderr=output, check=False, timeout=120, env={**os.environ, **(environment or {})})
            output.seek(0)
            return made.returncode, output.read()

    @contextlib.contextmanager
    def scope(self, name, **more):
        code, text = self.start(name, **more)
        check(code == 0, f"{name} starts as a scope", text)
        try:
            yield f"{PREFIX}-{name}.scope"
        finally:
            self.end(name)

    def end(self, name):
        deleted = self.runtime("delete", "--force", name)
        check(deleted.returncode == 0, f"{name} is deleted", deleted.stderr)
        check(not units() and not directories(f"{PREFIX}-{name}.scope"), f"{name} leaves neither unit nor cgroup",
              f"{units()} {directories(f'{PREFIX}-{name}.scope')}")

    def exec(self, name, line, *options):
        return self.runtime("exec", *options, name, "sh", "-c", line)

    def pid(self, name):
        return json.loads(self.runtime("state", name).stdout)["pid"]
