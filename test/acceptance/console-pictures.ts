/** The pictures of the console in the documentation. */
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { StartedServer } from '../support/started-server';

/** A minute of writes at a rate that rises and falls, with an invalid line now and then, for the picture of Overview. */
export async function writeWave(server: StartedServer): Promise<void> {
  const started = performance.now();
  let written = started;
  for (let step = 0; written < started + 75_000; step++) {
    const elapsed = performance.now() - written;
    written += elapsed;
    const perSecond = 600 + 400 * Math.sin((written - started) / 8_000);
    const hosts = Array.from({ length: Math.round((perSecond * elapsed) / 1_000) }, (_, host) => `host=h${host}`);
    const lines = hosts.map((host) => `cpu,${host} usage=${step % 100} ${Date.now()}`);
    await server.write([
      'weather,city=Faro temperature=20',
      ...lines,
      ...(step % 60 === 59 ? ['cpu,host=h0 usage='] : []),
    ]);
    await setTimeout(200);
  }
}

/** The page as far as it goes, but for long lists. */
export async function takePicture(page: Page, folder: string, name: string): Promise<void> {
  const width = 1_120;
  await page.setViewportSize({ width, height: 500 });
  const height = Math.min(await page.evaluate<number>('document.documentElement.scrollHeight'), 1_180);
  await page.screenshot({
    path: path.join(folder, `${name}.png`),
    fullPage: true,
    clip: { x: 0, y: 0, width, height },
  });
}
