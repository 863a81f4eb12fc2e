// Uploads a file with tus-js-client, and goes on after every break.
//
// Usage: node tus_upload.mjs MODULES ORIGIN TOKEN FILE VERSION CHUNK_BYTES, where MODULES is the folder that has
// tus-js-client, and CHUNK_BYTES is 0 for one request. Prints the URL of the upload.

import { createReadStream, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename } from "node:path";

const [modules, origin, token, path, version, chunkBytes] = process.argv.slice(2);
const tus = createRequire(`${modules}/`)("tus-js-client");

const upload = new tus.Upload(createReadStream(path), {
  endpoint: `${origin}/api/v1/uploads`,
  uploadSize: statSync(path).size,
  chunkSize: Number(chunkBytes) || Infinity,
  retryDelays: Array(60).fill(250),
  headers: { Authorization: `Bearer ${token}` },
  metadata: {
    package: "omni.kit",
    channel: "stable",
    version,
    platform: "any",
    filename: basename(path),
    filetype: "application/zip",
    create: "active",
  },
  onError(error) {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess() {
    console.log(upload.url);
    process.exit(0);
  },
});
upload.start();
