"""Command lines made from the tables: every command's help, wrong numbers of arguments, unknown flags, and every
placeholder of every listing."""
import csv
import pathlib
import re
import subprocess

DATA = pathlib.Path(__file__).resolve().parents[3] / "src/cli/data"
# What this program leaves to others, or does not do yet (README.md).
NOT_OURS = ("builder", "config", "image build", "node", "plugin", "secret", "service", "stack", "swarm")
# Not in this program yet: compared as soon as it is.
# Flags of a docker client newer than the one that is compared with, which the tables are of: on these commands' pages
# they are left out, and how wide the columns are does not count.
NEWER = {
    "container commit": ("--pause", "--no-pause"),
    "container cp": ("--follow-link",),
    "container create": ("--cgroupns", "--disable-content-trust", "--ip", "--ip6", "--kernel-memory", "--pull"),
    "container run": ("--cgroupns", "--disable-content-trust", "--ip", "--ip6", "--kernel-memory"),
    "image load": ("--platform",),
    "image ls": ("--all",),
    "image pull": ("--disable-content-trust",),
    "image push": ("--disable-content-trust",),
    "image save": ("--platform",),
    "login": ("--password",),
    "network connect": ("--ip", "--ip6", "--link-local-ip"),
    "network create": ("--gateway", "--ip-range"),
}
# Placeholders that it does not have, or (a digest without a tag) leaves empty.
NEWER_PLACEHOLDERS = {("container ls", ".HealthStatus"), ("image ls", ".Digest")}


def rows(name):
    with open(DATA / name, newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def starts_with_one_of(command, names):
    return any(command == name or command.startswith(name + " ") for name in names)


def commands():
    """docker's, but for those that are nobody's business here."""
    for row in rows("commands.tsv"):
        if row["command"] and row["annotations"] != "own" and not starts_with_one_of(row["command"], NOT_OURS):
            yield row


def is_there(program, command):
    done = subprocess.run([program, *command.split(), "--help"], capture_output=True, text=True,
                          env={"DOCKER_CONFIG": "/nonexistent"}, timeout=30)
    return done.returncode == 0


def wrong_numbers(check):
    """How many arguments the command complains about."""
    rule = re.match(r"(?:cli|cobra)\.(\w+)(?:\((\d+)(?:, *(\d+))?\))?$", check)
    if not rule:
        return []
    kind, first, second = rule[1], int(rule[2] or 0), int(rule[3] or 0)
    counts = {"NoArgs": [1], "ExactArgs": [first - 1, first + 1], "RequiresMinArgs": [first - 1],
              "RequiresMaxArgs": [first + 1], "RequiresRangeArgs": [first - 1, second + 1]}[kind]
    return [count for count in counts if count >= 0]


def is_dockers(docker, command):
    done = subprocess.run([docker, *command.split(), "--help"], capture_output=True, text=True,
                          env={"DOCKER_CONFIG": "/nonexistent"}, timeout=30)
    return f"Usage:  docker {command}" in done.stdout


def lines(program, docker):
    """All of them, and the commands that are missing."""
    out, missing = [], []
    for row in commands():
        command = row["command"]
        if not is_dockers(docker, command):
            continue
        if not is_there(program, command):
            missing.append(command)
            continue
        names = [command] + [name.strip().removeprefix("docker ") for name in row["aliases"].split(",") if name]
        for name in names:
            out.append(f"{name} --help")
            out.append(f"{name} --not-a-flag")
            out += [f"{name} {' '.join('x' * count)}".strip() for count in wrong_numbers(row["args_check"])]
        out.append(f"help {command}")
        if " COMMAND" in row["usage"]:
            # docker begins the page of `manifest` alone with an empty line.
            out += [f"{command} not-a-command"] + [command] * (command != "manifest")
    placeholders = {}
    for row in rows("format_placeholders.tsv"):
        placeholders.setdefault(row["command"], []).append(row["placeholder"])
    for command, names in placeholders.items():
        if not is_there(program, command):
            continue
        arguments = {"image history": " x", "container stats": " --no-stream web", "search": " x"}.get(command, "")
        names = [name for name in names if (command, name) not in NEWER_PLACEHOLDERS]
        fields = [f'{name} "a"' if name == ".Label" else name for name in names]
        for field in fields:
            out.append(f"{command} --format '{{{{{field}}}}}'{arguments}")
            out.append(f"{command} --format 'table {{{{{field}}}}}'{arguments}")
    return out, missing


def command_of(words):
    """The command of a line, by its first name."""
    words = [word for word in words if word not in ("help", "--help")]
    for row in rows("commands.tsv"):
        names = [row["command"]] + [name.strip().removeprefix("docker ") for name in row["aliases"].split(",") if name]
        if " ".join(words) in names:
            return row["command"]
    return ""


FLAG = r"^  (?:-.,|   ) (--[\w-]+)"


def pages(theirs, mine, words):
    """Two help pages without what can't be the same: flags and commands of our own, those of a newer docker, and the
    commands that are not ours. Where something was left out, the width of columns does not count."""
    command = command_of(words)
    own = set(re.findall(FLAG, mine, re.M)) - set(re.findall(FLAG, theirs, re.M))
    newer = set(NEWER.get(command, ()))
    before = theirs, mine
    theirs, mine = without_flags(theirs, newer), without_flags(mine, own | newer)
    listed = [dict(re.findall(r"^  (\w[\w-]*) {2,}(.*)$", page, re.M)) for page in (theirs, mine)]
    for name in listed[0].keys() ^ listed[1].keys():
        if name in listed[1] or starts_with_one_of(f"{command} {name}".strip(), NOT_OURS):
            theirs, mine = (re.sub(rf"^  {name} {{2,}}.*\n", "", page, flags=re.M) for page in (theirs, mine))
    if (theirs, mine) != before:
        theirs, mine = (" ".join(page.split()) for page in (theirs, mine))
    return theirs, mine


def without_flags(page, flags):
    if not flags:
        return page
    out, skipping = [], False
    for line in page.splitlines():
        flag = re.match(FLAG, line)
        if flag:
            skipping = flag[1] in flags
        elif not line.startswith("      "):
            skipping = False
        if not skipping:
            out.append(line)
    return "\n".join(out)
