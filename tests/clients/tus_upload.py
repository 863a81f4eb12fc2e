"""Uploads a file with tuspy, and goes on after every break.

Usage: tus_upload.py ORIGIN TOKEN FILE VERSION CHUNK_BYTES. Each chunk is sent with its SHA-1. Prints the URL of the
upload.
"""

import os
import sys

from tusclient import client

origin, token, path, version, chunk_bytes = sys.argv[1:6]
tus = client.TusClient(f"{origin}/api/v1/uploads", headers={"Authorization": f"Bearer {token}"})
uploader = tus.uploader(
    path,
    chunk_size=int(chunk_bytes),
    retries=60,
    retry_delay=0.25,
    upload_checksum=True,
    metadata={
        "package": "omni.kit",
        "channel": "stable",
        "version": version,
        "platform": "any",
        "filename": os.path.basename(path),
        "create": "active",
    },
)
uploader.upload()
print(uploader.url)
