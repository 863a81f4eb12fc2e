"""Reads a view of the second dialect with the standard library alone, checks every hash, and prints what there is.

Usage: kit_sync.py ROOT, which ends with a slash.
"""

import gzip
import hashlib
import json
import sys
import urllib.request

ROOT = sys.argv[1]


def get(path):
    with urllib.request.urlopen(ROOT + path) as answer:
        return answer.read()


registry = json.loads(gzip.decompress(get("registry.gz")))
ids, summaries = [], None
for key, wanted in registry["files"].items():
    text = gzip.decompress(get(key.removesuffix(".json") + ".gz"))
    found = hashlib.sha1(text).hexdigest()[:8]
    if found != wanted:
        raise AssertionError(f"{key} is {found} instead of {wanted}")
    if key == "summaries.json":
        summaries = json.loads(text)
        continue
    name = key.removeprefix("packages/").removesuffix(".json")
    for line in text.decode().splitlines():
        id, _, fields = line.partition(" ")
        package = json.loads(fields)["package"]
        archive = get(package["archivePath"].replace("+", "%2B"))
        if hashlib.sha256(archive).hexdigest() != package["sha256"]:
            raise AssertionError(f"{id} has another archive")
        manifest = json.loads(get(f"archives/{name}/{id.replace('+', '%2B')}.json"))
        if manifest["package"]["archivePath"] != package["archivePath"]:
            raise AssertionError(f"{id} has another manifest")
        ids.append(id)
for id in summaries:
    if id not in ids:
        raise AssertionError(f"{id} has no line")
print(json.dumps({"files": list(registry["files"]), "ids": ids, "summaries": list(summaries)}))
