"""Publishes and withdraws as a Registry 2.0 client does, with the standard library alone.

Usage: registry_publish.py ORIGIN TOKEN, where TOKEN publishes for the user omni of an empty registry.
"""

import gzip
import hashlib
import json
import sys
import urllib.error
import urllib.request
import uuid

ORIGIN, TOKEN = sys.argv[1:3]


def call(path, fields, in_path):
    boundary = uuid.uuid4().hex
    body = b""
    for name, filename, content in fields:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"'
        if filename:
            head += f'; filename="{filename}"\r\nContent-Type: application/zip'
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    request = urllib.request.Request(ORIGIN + (f"/t/{TOKEN}" if in_path else "") + path, data=body, method="POST")
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    if not in_path:
        request.add_header("Authorization", f"Bearer {TOKEN}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def get(path):
    with urllib.request.urlopen(ORIGIN + path) as answer:
        return answer.read()


def expect(found, wanted):
    if found != wanted:
        raise AssertionError(f"{found!r} instead of {wanted!r}")


ARCHIVE = bytes(range(256)) * 5000
for in_path, version in ((False, "1.0.0"), (True, "1.1.0")):
    id = f"omni.foo-{version}+wx64.r"
    manifest = {
        "package": {"name": "omni.foo", "title": "Foo", "version": version},
        "dependencies": {"omni.base": {"version": "1.0.0"}},
    }
    metadata = json.dumps(manifest).encode()
    fields = [("package_id", None, id.encode()), ("metadata", None, metadata), ("archive", "foo.zip", ARCHIVE)]
    for status in (201, 200):
        found, answer = call("/registry/publish", fields, in_path)
        expect((found, answer["package_id"]), (status, id))
        expect(answer["sha256"], hashlib.sha256(ARCHIVE).hexdigest())
    lines = gzip.decompress(get("/v2/packages/omni.foo.gz")).decode().splitlines()
    line_id, _, fields_text = lines[-1].partition(" ")
    expect("omni.foo-" + line_id, id)
    line = json.loads(fields_text)
    expect(line["dependencies"], {"omni.base": {"version": "1.0.0"}})
    expect(get("/v2/" + line["package"]["archivePath"].replace("+", "%2B")), ARCHIVE)

found, answer = call("/registry/publish", fields[:2] + [("archive", "foo.zip", b"other")], False)
expect((found, answer["status"]), (409, 409))

for status in (200, 200):
    found, answer = call("/registry/unpublish", [("package_id", None, b"omni.foo-1.1.0+wx64.r")], False)
    expect((found, answer["yanked"]), (status, "unpublished"))
summaries = json.loads(gzip.decompress(get("/v2/summaries.gz")))
expect(summaries["omni.foo"]["package"]["version"], "1.0.0")
