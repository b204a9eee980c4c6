import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Where Debian and others put it. */
const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executable = places.find((path) => existsSync(path)) ?? null;

/** Why tests in a browser cannot run here; false = they can. In CI a missing browser is a failure. */
export const whyNoBrowser: string | false =
  executable !== null || process.env['CI'] !== undefined ? false : 'Chromium is not installed';

/** A page, and what it did that somebody should know of. */
export interface OpenedPage {
  readonly page: Page;
  /** Errors and warnings of its console, and errors that nobody caught. */
  readonly complaints: string[];
  /** Addresses that it asked. */
  readonly requests: string[];
}

/** Starts a browser; it ends with the test. Errors: rejects where there is none. */
export async function startBrowser(test: Pick<TestContext, 'after'>): Promise<Browser> {
  if (executable === null) throw new Error(`Chromium is required at one of ${places.join(', ')}`);
  const browser = await chromium.launch({
    executablePath: executable,
    // CI runs as root in a container, where Chromium's own sandbox cannot be made.
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
    timeout: 60_000,
  });
  test.after(() => browser.close());
  return browser;
}

/** Opens an address in a page of its own and notes what it does. */
export async function openPage(browser: Browser, address: string): Promise<OpenedPage> {
  const page = await browser.newPage({ viewport: { width: 1360, height: 900 } });
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(address, { waitUntil: 'commit' });
  return { page, complaints, requests };
}
