import { it } from 'vitest';
import { launch, visit } from './support/browser';
import { Server } from './support/server';
import { furnish } from './support/world';
it('look', async () => {
  const server = await Server.start();
  const browser = await launch();
  const out = process.env['SHOTS'] ?? '/tmp/ui-shots';
  try {
    const { omni } = await furnish(server);
    const pages = (process.env['PAGES'] ?? '/,/p/omni/kit.window,/p/omni/kit.window/releases/stable/1.10.0,/p/omni/kit.window/releases,/p/omni/kit.window/new,/p/omni/kit.window/settings,/account,/account/tokens,/account/channels,/account/platforms,/signin,/new,/admin').split(',');
    for (const [width, dark, who] of (process.env['VIEWS'] ?? '1280,light,omni;390,dark,omni').split(';').map((v) => v.split(','))) {
      const v = await visit(browser, server.origin, { width: Number(width), height: Number(width) < 500 ? 844 : 900, dark: dark === 'dark', cookie: who === 'omni' ? omni.cookie : '' });
      for (const path of pages) {
        await v.page.goto(path);
        await v.page.waitForTimeout(500);
        await v.page.screenshot({ path: `${out}/${path.replaceAll('/', '_')}-${width}-${dark}-${who}.png`, fullPage: true });
      }
      console.log(v.complaints.found.join('\n'));
      await v.context.close();
    }
  } finally {
    await browser.close();
    await server.stop();
  }
});
