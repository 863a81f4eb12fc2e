// A real server on a free port with a folder of its own.

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const PASSWORD = 'correct horse battery';

const TOP = resolve(import.meta.dirname, '../../..');
export const BINARY = process.env['PACKHOUSE_BINARY'] ?? join(TOP, 'target/debug/packhouse');
const START_MS_MAX = 20_000;

export class Server {
  readonly data: string;
  origin = '';
  setupUrl = '';
  log = '';
  #child: ChildProcess | undefined;
  readonly #flags: string[];

  private constructor(data: string, flags: string[]) {
    this.data = data;
    this.#flags = flags;
  }

  static async start(flags: string[] = []): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), 'packhouse-ui-')), flags);
    await server.#run('127.0.0.1:0');
    return server;
  }

  /** Starts again at the same address, as after a crash or an update. */
  async restart(): Promise<void> {
    await this.#run(new URL(this.origin).host);
  }

  /** Ends it in order, as an update does. */
  async end(): Promise<void> {
    await this.#signal('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#signal('SIGKILL');
  }

  async #signal(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.data, { recursive: true, force: true });
  }

  async #run(listen: string): Promise<void> {
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PACKHOUSE_')));
    const child = spawn(BINARY, ['serve', '--data', this.data, '--listen', listen, ...this.#flags], {
      env, cwd: TOP, stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    child.stderr.on('data', (bytes: Buffer) => (this.log += bytes.toString()));
    await new Promise<void>((done, fail) => {
      const timer = setTimeout(() => {
        fail(new Error(`the server did not start:\n${this.log}`));
      }, START_MS_MAX);
      child.once('exit', () => {
        fail(new Error(`the server ended:\n${this.log}`));
      });
      createInterface(child.stdout).on('line', (line) => {
        const at = /^listening on (http\S+)/.exec(line)?.[1];
        const setup = /^setup at (http\S+)/.exec(line)?.[1];
        if (at) this.origin = at;
        if (setup) this.setupUrl = setup;
        if (at) {
          clearTimeout(timer);
          // The link to set up, if there is one, follows at once.
          setTimeout(done, 50);
        }
      });
    });
  }

  /** A signed-in user's calls, for what a test needs but is not about. */
  async as(name: string, password = PASSWORD): Promise<Client> {
    const client = new Client(this.origin);
    await client.send('POST', '/api/v1/session', { name, password });
    return client;
  }

  async setUp(name: string): Promise<Client> {
    const client = new Client(this.origin);
    const token = new URL(this.setupUrl).searchParams.get('token');
    await client.send('POST', '/api/v1/setup', { token, name, password: PASSWORD });
    return client;
  }
}

export class Client {
  readonly origin: string;
  cookie = '';

  constructor(origin: string) {
    this.origin = origin;
  }

  async send(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(this.origin + path, {
      method,
      headers: { origin: this.origin, cookie: this.cookie, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const set = response.headers.get('set-cookie');
    if (set) this.cookie = set.split(';')[0] ?? '';
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text ? (JSON.parse(text) as Record<string, unknown>) : {};
  }

  async upload(path: string, bytes: Uint8Array | string, create = 'active'): Promise<void> {
    const response = await fetch(`${this.origin}${path}?create=${create}&create_platform=true`, {
      method: 'PUT', headers: { origin: this.origin, cookie: this.cookie }, body: bytes as BodyInit,
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  }
}
