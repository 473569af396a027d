// What pages look like: RINGPOLL_SCREENSHOTS=FOLDER keeps it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const NARROW = { width: 400, height: 900, deviceScaleFactor: 1, mobile: true };
export const WIDE = { width: 1280, height: 900, deviceScaleFactor: 1, mobile: false };

export async function keep(page, name, beyond = true) {
  const folder = process.env.RINGPOLL_SCREENSHOTS;
  if (folder === undefined) return;
  const options = { captureBeyondViewport: beyond };
  const { data } = await page.send('Page.captureScreenshot', options);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.png`), Buffer.from(data, 'base64'));
}
