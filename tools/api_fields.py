#!/usr/bin/env python3
"""api_fields.py DIRECTORY: the fields of every answer of the Engine API and the versions that have them, as tests/api/fields.tsv has them.

DIRECTORY holds the API's swagger files, one per version, plain or gzipped ("v1.40.yaml.gz", "swagger-v1.56.yaml"). One row per field of a
successful JSON answer: method, path, field ("HostConfig.Mounts[].Type", "Volumes{}": the values of a map), types, first and last version.
"""
import gzip
import os
import re
import sys

import yaml

TAGS = {"Container", "Exec", "System", "Image", "Network", "Volume"}
DEPTH = 9


def documents(directory):
    found = {}
    for name in os.listdir(directory):
        version = re.search(r"v1\.(\d+)\.yaml(\.gz)?$", name)
        if version:
            opener = gzip.open if version[2] else open
            with opener(os.path.join(directory, name), "rt") as text:
                found[int(version[1])] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return dict(sorted(found.items()))


class Walk:
    def __init__(self, document):
        self.document, self.fields = document, {}

    def resolve(self, schema):
        """References followed, allOf put together."""
        while "$ref" in schema:
            schema = self.document["definitions" if "definitions" in schema["$ref"] else "responses"][schema["$ref"].split("/")[-1]]
        if "allOf" not in schema:
            return schema
        out = {key: value for key, value in schema.items() if key != "allOf"}
        out.setdefault("properties", {})
        for part in schema["allOf"]:
            part = self.resolve(part)
            out["properties"] = {**out["properties"], **part.get("properties", {})}
            for key in ("type", "additionalProperties", "x-nullable"):
                if key in part:
                    out.setdefault(key, part[key])
        return out

    def walk(self, schema, path, depth=0):
        schema = self.resolve(schema)
        kind = schema.get("type", "object" if "properties" in schema or "additionalProperties" in schema else "any")
        kinds = set(kind) if isinstance(kind, list) else {kind}
        self.fields.setdefault(path, set()).update(kinds)
        if depth == DEPTH:
            return
        if "items" in schema:
            self.walk(schema["items"], path + "[]", depth + 1)
        if isinstance(schema.get("additionalProperties"), dict):
            self.walk(schema["additionalProperties"], path + "{}", depth + 1)
        elif kinds == {"object"} and not schema.get("properties"):
            self.fields.setdefault(path + "{}", set()).add("any")
        for name, inner in (schema.get("properties") or {}).items():
            self.walk(inner, f"{path}.{name}" if path else name, depth + 1)


def answers(document):
    """(method, path) → {field: types}"""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "post", "put", "delete", "head") or not TAGS & set(operation.get("tags", [])):
                continue
            walk = Walk(document)
            for status, response in operation["responses"].items():
                response = walk.resolve(response)
                if str(status).startswith("2") and "schema" in response:
                    walk.walk(response["schema"], "")
            yield (method.upper(), path), walk.fields


def main():
    rows = {}
    for version, document in documents(sys.argv[1]).items():
        for route, fields in answers(document):
            for field, kinds in fields.items():
                row = rows.setdefault((*route, field), {"kinds": set(), "versions": []})
                row["kinds"] |= kinds
                row["versions"].append(version)
    print("method\tpath\tfield\ttypes\tfirst\tlast")
    for (method, path, field), row in sorted(rows.items(), key=lambda item: (item[0][1], item[0][0], item[0][2])):
        print(method, path, field, ",".join(sorted(row["kinds"])), f"1.{min(row['versions'])}", f"1.{max(row['versions'])}", sep="\t")


if __name__ == "__main__":
    main()
