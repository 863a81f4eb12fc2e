// Has electron-updater's own differential downloader make a new file of an old one and what it fetches by ranges.
// Usage: node electron_differential.mjs NODE_MODULES URL OLD_FILE NEW_FILE SHA512_BASE64 OUTPUT
// NEW_FILE is read for its block map alone, as a publisher's tool would make it. Prints how many bytes came and how many
// ranges the largest request asked for.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const [modules, url, oldFile, newFile, sha512, output] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), 'package.json'));
const { DifferentialDownloader } = require('electron-updater/out/differentialDownloader/DifferentialDownloader');
const { CancellationToken, HttpExecutor } = require('builder-util-runtime');

let bytes = 0;
let ranges = 0;

class NodeExecutor extends HttpExecutor {
  createRequest(options, callback) {
    ranges = Math.max(ranges, String(options.headers?.Range ?? options.headers?.range ?? '').split(',').length);
    return http.request(options, (response) => {
      response.on('data', (chunk) => { bytes += chunk.length; });
      callback(response);
    });
  }
}

class Downloader extends DifferentialDownloader {}

const BLOCK = 4096;
function blockMap(file) {
  const content = readFileSync(file);
  const checksums = [];
  const sizes = [];
  for (let at = 0; at < content.length; at += BLOCK) {
    const block = content.subarray(at, at + BLOCK);
    checksums.push(createHash('sha256').update(block).digest('base64'));
    sizes.push(block.length);
  }
  return { version: '2', files: [{ name: 'file', offset: 0, checksums, sizes }] };
}

const size = readFileSync(newFile).length;
const silent = { info() {}, warn: console.warn, error: console.error };
const downloader = new Downloader({ sha512, size }, new NodeExecutor(), {
  newUrl: new URL(url),
  oldFile,
  newFile: output,
  logger: silent,
  requestHeaders: {},
  isUseMultipleRangeRequest: true,
  cancellationToken: new CancellationToken(),
});
await downloader.doDownload(blockMap(oldFile), blockMap(newFile));
console.log(JSON.stringify({ bytes, ranges }));
