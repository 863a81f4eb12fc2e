// A wire between browser and server that can be cut, and that can be slow.

import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

export class Wire {
  origin = '';
  /** Bytes that went from the browser to the server. */
  sent = 0;
  cuts = 0;
  #cutAt: number[] = [];
  #open = new Set<Socket>();
  #down = false;
  readonly #server;

  private constructor(target: URL) {
    this.#server = createServer((browser) => {
      if (this.#down) {
        browser.destroy();
        return;
      }
      const server = connect(Number(target.port), target.hostname);
      for (const socket of [browser, server]) {
        this.#open.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#open.delete(socket);
          browser.destroy();
          server.destroy();
        });
      }
      browser.on('data', (bytes: Buffer) => {
        this.sent += bytes.length;
        const next = this.#cutAt[0];
        if (next !== undefined && this.sent >= next) {
          this.#cutAt.shift();
          this.cut();
        }
      });
      browser.pipe(server);
      server.pipe(browser);
    });
  }

  static async to(origin: string): Promise<Wire> {
    const wire = new Wire(new URL(origin));
    await new Promise<void>((done) => wire.#server.listen(0, '127.0.0.1', done));
    wire.origin = `http://127.0.0.1:${(wire.#server.address() as AddressInfo).port}`;
    return wire;
  }

  /** Breaks all connections once as many bytes went through. */
  cutAfter(...bytes: number[]): void {
    this.#cutAt = bytes;
  }

  cut(): void {
    this.cuts += 1;
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  down(is: boolean): void {
    this.#down = is;
    if (is) for (const socket of this.#open) socket.resetAndDestroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }
}
