// A browser, and pages that fail the test when they complain.

import { existsSync } from 'node:fs';

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { chromium } from 'playwright-core';

const EXECUTABLE = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) => existsSync(path));

export async function launch(): Promise<Browser> {
  if (!EXECUTABLE) throw new Error('these tests need chromium (the Debian package of that name)');
  return chromium.launch({
    executablePath: EXECUTABLE,
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--force-color-profile=srgb',
    ],
  });
}

/** What a page said that it should not have. Answers that a test provokes are named in `allowed`. */
export class Complaints {
  readonly found: string[] = [];
  readonly allowed: RegExp[] = process.env['PENDING'] ? [/status of 404 .*(events|attention|statistics|uploads|admin|audit|markdown|invitation)/] : [];

  watch(page: Page): void {
    page.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      const text = `${message.text()} ${message.location().url}`;
      if (!this.allowed.some((pattern) => pattern.test(text))) this.found.push(text);
    });
    page.on('pageerror', (error) => this.found.push(`page error: ${error.stack ?? error.message}`));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (!['127.0.0.1', 'localhost'].includes(url.hostname) && !['data:', 'blob:'].includes(url.protocol)) {
        this.found.push(`asked another place: ${request.url()}`);
      }
    });
  }

  check(): void {
    if (this.found.length > 0) throw new Error(`the page complained:\n${this.found.join('\n')}`);
  }
}

export interface Visitor {
  context: BrowserContext;
  page: Page;
  complaints: Complaints;
}

export async function visit(browser: Browser, origin: string, options: {
  width?: number; height?: number; dark?: boolean; cookie?: string; scale?: number;
} = {}): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL: origin,
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.dark ? 'dark' : 'light',
    deviceScaleFactor: options.scale ?? 1,
    reducedMotion: 'reduce',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  if (options.cookie) {
    const [name = '', value = ''] = options.cookie.split('=', 2);
    await context.addCookies([{ name, value, url: origin }]);
  }
  const complaints = new Complaints();
  context.on('page', (page) => {
    complaints.watch(page);
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  return { context, page, complaints };
}
