"""Publishes the same files to one of several kinds of registries, for `run peers`, and says how long it took.

Standard library alone, and the same client for all of them, so that what it costs is in every figure.
"""

import argparse
import base64
import hashlib
import http.client
import json
import os
import sqlite3
import threading
import time
from urllib.parse import urlsplit


def content(number, size):
    """The bytes of file `number`: none like another, and none that compress."""
    seed = hashlib.sha256(str(number).encode()).digest()
    return hashlib.shake_128(seed).digest(size)


def form(fields, name, data):
    """A multipart form (RFC 7578) with one file."""
    edge = "----------------measured"
    parts = [f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n' for key, value in fields]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="content"; filename="{name}"\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + data + f"\r\n--{edge}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={edge}"}


def request_of(kind, package, version, data):
    """Method, path, body and headers that publish `data`."""
    if kind == "packhouse":
        path = f"/api/v1/packages/bench/{package}/releases/stable/{version}/files/any/{package}.tgz?create=active"
        return "PUT", path, data, {"Content-Type": "application/octet-stream"}
    if kind == "pypi":
        fields = [(":action", "file_upload"), ("protocol_version", "1"), ("name", package), ("version", version)]
        body, headers = form(fields, f"{package}-{version}.tar.gz", data)
        return "POST", "/", body, headers
    file = f"{package}-{version}.tgz"
    dist = {"shasum": hashlib.sha1(data).hexdigest(), "tarball": f"http://localhost/{package}/-/{file}"}
    document = {
        "_id": package,
        "name": package,
        "dist-tags": {"latest": version},
        "versions": {version: {"name": package, "version": version, "dist": dist}},
        "_attachments": {
            file: {
                "content_type": "application/octet-stream",
                "data": base64.b64encode(data).decode(),
                "length": len(data),
            }
        },
    }
    return "PUT", f"/{package}", json.dumps(document).encode(), {"Content-Type": "application/json"}


def publish(options):
    """`clients` threads, each with a connection and packages of its own, `count` files together."""
    address = urlsplit(options.url)
    times, failures = [], []

    def work(client):
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        for at in range(client, options.count, options.clients):
            package, version = f"p{client}-{at // options.clients // 20}", f"1.0.{at // options.clients % 20}"
            method, path, body, headers = request_of(options.kind, package, version, content(at, options.bytes))
            if options.token:
                headers["Authorization"] = f"Bearer {options.token}"
            begun = time.monotonic()
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
            if answer.status not in (200, 201):
                failures.append(f"{answer.status} {text[:200]}")
                return
            times.append(time.monotonic() - begun)

    if options.kind == "packhouse":
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        for client in range(options.clients):
            for part in range(options.count // options.clients // 20 + 1):
                body = json.dumps({"name": f"p{client}-{part}", "visibility": "public"})
                headers = {"Authorization": f"Bearer {options.token}", "Content-Type": "application/json"}
                connection.request("POST", "/api/v1/packages", body, headers)
                connection.getresponse().read()
    begun = time.monotonic()
    threads = [threading.Thread(target=work, args=(client,)) for client in range(options.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times, time.monotonic() - begun, failures


def sqlite(options):
    """Each file a row, in a transaction of its own that is durable when it returns."""
    database = sqlite3.connect(options.file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS blobs (sha256 BLOB PRIMARY KEY, bytes BLOB) WITHOUT ROWID")
    times, begun = [], time.monotonic()
    for at in range(options.count):
        data = content(at, options.bytes)
        before = time.monotonic()
        database.execute("INSERT INTO blobs VALUES (?, ?)", (hashlib.sha256(data).digest(), data))
        times.append(time.monotonic() - before)
    total = time.monotonic() - begun
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return times, total, []


def files(options):
    """Each file written beside, synced, renamed, and its folder synced."""
    os.makedirs(options.file, exist_ok=True)
    folder = os.open(options.file, os.O_RDONLY)
    times, begun = [], time.monotonic()
    for at in range(options.count):
        data = content(at, options.bytes)
        before = time.monotonic()
        path = os.path.join(options.file, hashlib.sha256(data).hexdigest())
        with open(path + ".new", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(path + ".new", path)
        os.fsync(folder)
        times.append(time.monotonic() - before)
    return times, time.monotonic() - begun, []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["packhouse", "pypi", "npm", "sqlite", "files"])
    parser.add_argument("--url")
    parser.add_argument("--token")
    parser.add_argument("--file")
    parser.add_argument("--clients", type=int, default=1)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--bytes", type=int, required=True)
    options = parser.parse_args()
    times, total, failures = {"sqlite": sqlite, "files": files}.get(options.kind, publish)(options)
    if failures:
        raise SystemExit(f"{options.kind}: {failures[0]}")
    times.sort()
    at = lambda share: round(times[min(len(times) - 1, int(len(times) * share))] * 1e6)
    print(json.dumps({"count": len(times), "rate": round(len(times) / total, 1), "p50_us": at(0.5), "p99_us": at(0.99)},
                     separators=(",", ":")))


main()
