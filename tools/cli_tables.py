#!/usr/bin/env python3
"""Writes src/cli/detail/command_rows.cc from src/cli/data/{commands,flags}.tsv.

  tools/cli_tables.py            writes the file
  tools/cli_tables.py --check    exit status 1 if the file is not what would be written
"""
import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/cli/detail/command_rows.cc"

# Texts of several lines, which the table has only the first line of.
TEMPLATE = """Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates"""
TABLE = TEMPLATE.replace("'json':  ", """'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':  """)
CGROUPNS = """Cgroup namespace to use (host|private)
'host':    Run the container in the host's cgroup namespace
'private': Run the container in its own private cgroup namespace
'':        Use the cgroup namespace as configured by the
           default-cgroupns-mode option on the daemon (default)"""
ENDPOINT = """{short}

Docker endpoint config:

NAME                DESCRIPTION
from                Copy named context's Docker endpoint configuration
host                Docker endpoint on which to connect
ca                  Trust certs signed only by this CA
cert                Path to TLS certificate file
key                 Path to TLS key file
skip-tls-verify     Skip TLS certificate validation

Example:

$ $PROGRAM {command} my-context --description "some description" --docker "host=tcp://myserver:2376,ca=~/ca-file,cert=~/cert-file,key=~/key-file\""""
CP = """{short}

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout."""
MANIFEST = """The **docker manifest** command has subcommands for managing image manifests and
manifest lists. A manifest list allows you to use one name to refer to the same image
built for multiple architectures.

To see help for a subcommand, use:

    docker manifest CMD --help

For full details on using docker manifest lists, see the registry v2 specification."""
EXPERIMENTAL = """

EXPERIMENTAL:
  $PROGRAM {command} is an experimental feature.
  Experimental features provide early access to product functionality. These
  features may change between releases without warning, or can be removed from a
  future release. Learn more about experimental features in our documentation:
  https://docs.docker.com/go/experimental/"""
LOGIN = "{short}.\nDefaults to Docker Hub if no server is specified."
LOGOUT = "{short}.\nIf no server is specified, the default is defined by the daemon."
VOLUME_RM = "{short}. You cannot remove a volume that is in use by a container."
# What a command's own help says instead of its summary.
DESCRIPTIONS = {"container cp": CP, "context create": ENDPOINT, "context update": ENDPOINT, "login": LOGIN,
                "logout": LOGOUT, "manifest": MANIFEST, "volume rm": VOLUME_RM}
PLATFORM = {
    "image inspect": """
If the image or the server is not multi-platform capable, the command will error out if the platform does not match.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)""",
    "image push": """
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)"""}
TYPES = {"bool": "", "int64": "int", "uint64": "uint", "stringSlice": "strings", "stringArray": "stringArray"}
# Shown as docker shows an empty value of its own types.
EMPTY_LISTS = {"blkio-weight-device", "device-read-bps", "device-write-bps", "device-read-iops",
               "device-write-iops", "ulimit"}


def rows(name):
    with open(ROOT / "src/cli/data" / name, newline="") as table:
        return list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def help_text(flag):
    text = flag["description"]
    if text == "Format output using a custom template:":
        listing = re.search(r"(^|\s)(ls|history|df|stats|events|ps|services)$", flag["command"])
        return TABLE if listing and flag["command"] != "system events" else TEMPLATE
    if flag["flag"] == "--cgroupns":
        return CGROUPNS
    if flag["flag"] == "--platform" and flag["command"] in PLATFORM:
        text += PLATFORM[flag["command"]]
    text = re.sub(r"^\(hidden\)\s*", "", text)
    return text.replace("`", '"')


def flag_row(flag):
    annotations = dict(part.partition("=")[::2] for part in flag["annotations"].split(";") if part)
    status = flag["status"]
    name = flag["flag"].lstrip("-")
    shorthand = flag["shorthand"].lstrip("-")
    values = [literal(name), f"'{shorthand}'" if shorthand else "'\\0'",
              literal(TYPES.get(flag["type"], flag["type"])), literal(help_text(flag)),
              literal(annotations.get("api", "")),
              "true" if annotations.get("ostype") == "windows" else "false",
              "true" if status == "hidden" else "false",
              literal(help_text(flag)) if status == "deprecated" else '""',
              "true" if name in EMPTY_LISTS else "false"]
    return "    {" + ", ".join(values) + "},"


def argument_rule(text):
    if exact := re.match(r"cobra\.ExactArgs\((\d+)\)$", text):
        return f"ExactlyTerse, {exact[1]}, {exact[1]}"
    rule = re.match(r"(?:cli|cobra)\.(\w+)(?:\((\d+)(?:, *(\d+))?\))?$", text)
    if not rule:
        return "Any, 0, 0"
    kind, first, second = rule[1], rule[2] or "0", rule[3] or "0"
    return {"NoArgs": "None, 0, 0", "ExactArgs": f"Exactly, {first}, {first}", "RequiresMinArgs": f"AtLeast, {first}, 0",
            "RequiresMaxArgs": f"AtMost, 0, {first}", "RequiresRangeArgs": f"Between, {first}, {second}"}[kind]


def description(command):
    """What its own page says; empty where that is the summary."""
    text = DESCRIPTIONS.get(command["command"], "")
    if command["annotations"] == "experimentalCLI":
        text = (text or "{short}") + EXPERIMENTAL
    return text.format(command=command["command"], short=command["short"])


def write():
    flags = {}
    for flag in rows("flags.tsv"):
        if flag["flag"] != "--help":
            flags.setdefault(flag["command"], []).append(flag)
    out = ["// Generated by tools/cli_tables.py from src/cli/data/*.tsv: edit those.", '#include "cli/command.h"', "",
           "namespace cli {", "namespace {", ""]
    commands = []
    for command in rows("commands.tsv"):
        identifier = "kFlags_" + (re.sub(r"\W", "_", command["command"]) or "global")
        mine = flags.get(command["command"], [])
        if mine:
            out += [f"constexpr FlagRow {identifier}[] = {{"] + [flag_row(flag) for flag in mine] + ["};"]
        usage = command["usage"].replace("\\n", "\n").removeprefix("docker " + command["command"]).strip()
        aliases = [alias.strip().removeprefix("docker ") for alias in command["aliases"].split(",") if alias]
        commands.append("    {" + ", ".join([
            literal(command["command"]), literal(",".join(aliases)), literal(usage),
            "ArgumentRule::" + argument_rule(command["args_check"]), literal(command["short"]),
            identifier if mine else "{}",
            literal(description(command)),
            "true" if command["hidden"] else "false"]) + "},")
    out += ["", "constexpr CommandRow kRows[] = {"] + commands + ["};", "", "}  // namespace", "",
            "std::span<const CommandRow> command_rows() { return kRows; }", "", "}  // namespace cli", ""]
    return "\n".join(out)


def main():
    text = write()
    if "--check" in sys.argv:
        return 0 if TARGET.exists() and TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
