// How long a page was busy at a time: what a visitor sees as a pause.

import type { Browser, Page } from 'playwright-core';

interface Event {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Time on a processor, in microseconds. */
  tdur?: number;
  args?: { name?: string };
}

/**
 * The longest task of the page's thread while something runs, in milliseconds on a processor: what else the machine does
 * makes it no longer.
 */
export async function longestTask(browser: Browser, page: Page, run: () => Promise<void>): Promise<number> {
  await browser.startTracing(page, { categories: ['disabled-by-default-devtools.timeline'] });
  await run();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: Event[] };
  const threads = new Set(traceEvents.filter((one) => one.name === 'thread_name' && one.args?.name === 'CrRendererMain').map((one) => `${one.pid} ${one.tid}`));
  const tasks = traceEvents.filter((one) => one.name === 'RunTask' && one.ph === 'X' && threads.has(`${one.pid} ${one.tid}`));
  if (tasks.length === 0) throw new Error('the trace has no task of the page');
  return Math.max(...tasks.map((one) => (one.tdur ?? 0) / 1000));
}
