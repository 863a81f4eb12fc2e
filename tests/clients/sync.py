"""Keeps a local copy of a view of the index with the standard library alone: fetches what changed, verifies it, and
puts the new state in the place of the old one.

Usage: sync.py ROOT DIR, where ROOT is the folder of registry.gz and ends with a slash. Prints what it did as JSON.
"""

import http.client
import json
import os
import shutil
import sys
import urllib.parse
import zlib

ROOT, DIR = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2]
# More than any file of an index decompresses to.
TEXT_BYTES_MAX = 1 << 30
connection = http.client.HTTPConnection(ROOT.netloc, timeout=60)


def fetch(path):
    """The text of a file, which is one gzip member to its last byte."""
    connection.request("GET", ROOT.path + path)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != 200:
        raise SystemExit(f"{path} was answered {answer.status}")
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    text = member.decompress(data, TEXT_BYTES_MAX)
    if not member.eof or member.unused_data or member.unconsumed_tail:
        raise SystemExit(f"{path} is no single gzip member")
    return text


def local(path):
    """The name of the file with the text of `path`."""
    if path.startswith(("/", ".")) or ".." in path.split("/") or not path.endswith(".gz"):
        raise SystemExit(f"{path!r} is no file of an index")
    return path.removesuffix(".gz") + ".json"


def read(path):
    try:
        with open(os.path.join(DIR, path), "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write(folder, path, text):
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)


registry = fetch("registry.gz")
files = json.loads(registry)["files"]
old = json.loads(read("registry.json") or b'{"files": {}}')["files"]
new_dir = DIR.rstrip("/") + ".new"
shutil.rmtree(new_dir, ignore_errors=True)
fetched = 0
for path, wanted in files.items():
    text = read(local(path)) if old.get(path) == wanted else None
    if text is None:
        text = fetch(path)
        fetched += 1
    found = f"{zlib.crc32(text):08x}"
    if found != wanted:
        raise SystemExit(f"{path} is {found} instead of {wanted}")
    write(new_dir, local(path), text)
write(new_dir, "registry.json", registry)
shutil.rmtree(DIR, ignore_errors=True)
os.rename(new_dir, DIR)
print(json.dumps({"files": len(files), "fetched": fetched, "removed": len(old.keys() - files.keys())}))
