import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { openPage, startBrowser, whyNoBrowser } from './browser.ts';
import { adminCall, type Balancer, findFile, startBalancer } from './harness.ts';
import { type Origin, startOrigins } from './origins.ts';
import { PacedLoad } from './paced-load.ts';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

const pageBytesMax = 250 * 1024;

describe('the dashboard in Chromium', { skip: whyNoBrowser }, () => {
  const ends: (() => unknown)[] = [];
  const suite = { after: (end: () => unknown) => void ends.push(end) };
  let browser: Browser;
  let balancer: Balancer;
  let origins: Origin[];
  let address = '';
  let token = '';

  before(async () => {
    origins = await startOrigins(suite, 3);
    const [port, adminPort] = [await freePort(), await freePort()];
    balancer = await startBalancer(suite, {
      listeners: [`127.0.0.1:${port}`],
      pools: {
        web: {
          servers: origins.map((origin) => origin.address),
          probe: { type: 'http', path: '/healthz', interval: '200ms', expect: '200-499' },
        },
      },
      admin: { address: `127.0.0.1:${adminPort}` },
      log: { access: 'off' },
    });
    const load = new PacedLoad({ port, links: 4, pauseMs: 50 });
    suite.after(() => load.stop());
    address = `http://127.0.0.1:${adminPort}/`;
    token = readFileSync(findFile(balancer.directory, '.token') ?? '', 'utf8').trim();
    browser = await startBrowser(suite);
  });
  after(async () => {
    for (const end of ends.reverse()) await end();
  });

  it('is small, asks nobody else, complains about nothing and shows figures', async (test) => {
    const { page, complaints, requests } = await openPage(browser, address);
    await page.getByRole('heading', { name: 'Requests', exact: true }).waitFor();
    await page.getByText('All is well').waitFor();
    await until('a rate that is not nought', 30_000, async () => {
      const text = await page.locator('.key-figure .value').first().textContent();
      return Number.parseFloat(text ?? '') > 0;
    });
    const paintMs = await page.evaluate<number>(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1",
    );
    const bytes = await page.evaluate<number>(`
      [
        ...performance.getEntriesByType('navigation'),
        ...performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/')),
      ].reduce((sum, entry) => sum + entry.encodedBodySize, 0)`);
    test.diagnostic(`first paint after ${Math.round(paintMs)} ms, ${bytes} bytes compressed`);
    assert.ok(paintMs >= 0, 'it was painted');
    assert.ok(bytes > 10_000 && bytes < pageBytesMax, `${bytes} bytes`);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(address)),
      [],
    );
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('begins with what the balancer remembers', async () => {
    await until('some history', 30_000, async () => {
      const answer = await balancer.admin('GET', '/v1/history?kind=route&from=-300s');
      const { series } = JSON.parse(answer.body) as { series: { points: unknown[] }[] };
      return (series[0]?.points.length ?? 0) >= 5;
    });
    const { page, complaints, requests } = await openPage(browser, address);
    const isAsked = (from: string): Promise<boolean> =>
      until(`history from ${from}`, 30_000, () => requests.some((url) => url.includes(from)));
    await isAsked('/v1/history?kind=route&from=-300s');
    await page.getByRole('button', { name: '1 hour' }).click();
    await isAsked('from=-3600s');
    // A refused question would be a complaint of the console.
    await page.getByRole('img', { name: /^Requests per second, now: all [1-9]/ }).waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  it('its policy allows no code or style in the document and nothing of others', async () => {
    const port = Number(new URL(address).port);
    const headers = { 'accept-encoding': 'identity' };
    const { status, body } = await adminCall({ host: '127.0.0.1', port, headers }, 'GET', '/');
    assert.equal(status, 200);
    assert.doesNotMatch(body, /<style|style=|<script(?![^>]*src=)| on[a-z]+=/);
    const policy = (await fetch(address)).headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  });

  it('drains by a click, with the token and not without it', async () => {
    const { page, complaints } = await openPage(browser, `${address}#pools`);
    const victim = `web/${origins[0]?.address}`;
    const stateOf = async (): Promise<string | undefined> =>
      (await balancer.status()).pools[0]?.servers[0]?.state;
    await page.getByRole('button', { name: `Drain ${victim}` }).click();
    const dialog = page.getByRole('dialog');
    // Nothing given: the browser itself asks for the field, and nothing is sent.
    await dialog.getByRole('button', { name: 'Drain' }).click();
    assert.equal(await dialog.isVisible(), true);
    await dialog.getByLabel('Token').fill('not-the-token');
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await dialog.getByRole('alert').waitFor();
    assert.equal(await stateOf(), 'up');
    await dialog.getByLabel('Token').fill(token);
    await dialog.getByRole('button', { name: 'Drain' }).click();
    await page.getByRole('button', { name: `Take back ${victim}` }).waitFor();
    assert.equal(await stateOf(), 'draining');
    // The token is known now: only the confirmation is left.
    await page.getByRole('button', { name: `Take back ${victim}` }).click();
    assert.equal(await dialog.getByLabel('Token').count(), 0);
    await dialog.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('button', { name: `Drain ${victim}` }).waitFor();
    assert.equal(await stateOf(), 'up');
    await page.getByRole('button', { name: `Weight of ${victim}` }).click();
    await dialog.getByLabel('Weight').fill('5');
    await dialog.getByRole('button', { name: 'Set the weight' }).click();
    await until('the weight', 15_000, async () => {
      return (await balancer.status()).pools[0]?.servers[0]?.weight === 5;
    });
    const kept = await page.evaluate<string>(
      'location.href + JSON.stringify(localStorage) + JSON.stringify(sessionStorage)',
    );
    const cookies = JSON.stringify(await page.context().cookies());
    assert.ok(!`${kept} ${cookies}`.includes(token));
    // The refused one is the browser's own line, and the only one.
    assert.equal(complaints.filter((text) => !text.includes('401')).length, 0);
    await page.close();
  });

  it('goes by keyboard: views, dialog and its end by Escape', async () => {
    const { page } = await openPage(browser, address);
    await page.getByText('All is well').waitFor();
    await page.keyboard.press('Tab');
    const focused = await page.evaluate<string>('document.activeElement?.textContent');
    assert.equal(focused, 'Skip to the content');
    for (const name of ['Pools', 'Traffic', 'Events']) {
      await page.getByRole('link', { name, exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.locator(`nav a[aria-current=page]`, { hasText: name }).waitFor();
    }
    await page.getByRole('button', { name: 'Unlock' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    await page.close();
  });

  it('shows ended exchanges that a filter wants', async () => {
    const { page } = await openPage(browser, `${address}#traffic`);
    await page.locator('table.tail tbody tr').first().waitFor();
    await page.getByRole('button', { name: '5xx' }).click();
    await page.getByText('Nothing that fits has ended yet.').waitFor();
    await page.getByLabel('Method, host or path holds').fill('GET');
    await page.keyboard.press('Enter');
    await page.getByRole('group', { name: 'Status' }).getByRole('button', { name: 'all' }).click();
    const row = page.locator('table.tail tbody tr').first();
    await row.waitFor();
    await row.getByRole('button').click();
    await page.locator('table.tail .details dt', { hasText: 'client' }).waitFor();
    await page.close();
  });

  it('asks for the token where reading needs it, and goes on with it', async () => {
    const page = await browser.newPage();
    // As from another machine: what is read without the token is refused.
    await page.route('**/v1/**', async (route) => {
      const given = (await route.request().allHeaders())['authorization'];
      if (given === `Bearer ${token}`) await route.continue();
      else await route.fulfill({ status: 401, json: { error: { code: 'token-required' } } });
    });
    await page.goto(address);
    await page.getByRole('heading', { name: 'Token needed' }).waitFor();
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Show the dashboard' }).click();
    await page.getByText('All is well').waitFor();
    await page.close();
  });

  for (const [name, width, scheme] of [
    ['a phone', 390, 'dark'],
    ['a small window', 800, 'light'],
  ] as const) {
    it(`fits ${name}: nothing is wider than the window`, async () => {
      const { page } = await openPage(browser, address);
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme: scheme });
      for (const view of ['overview', 'pools', 'traffic', 'events']) {
        await page.goto(`${address}#${view}`);
        await page.locator('main .panel').first().waitFor();
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        assert.ok(wide <= width, `${view}: ${wide}`);
      }
      await page.close();
    });
  }

  // Last: the server stays dead.
  it('shows a killed server as down with the reason', async (test) => {
    const { page } = await openPage(browser, `${address}#pools`);
    const dead = origins[2] as Origin;
    const row = page.locator('tr', { hasText: dead.address });
    await row.getByText('up', { exact: true }).waitFor();
    const killedMs = performance.now();
    await dead.kill();
    await row.getByText(/^(down|refusing|ejected)$/).waitFor();
    test.diagnostic(`out after ${Math.round(performance.now() - killedMs)} ms`);
    await row.getByText(/refused/).waitFor();
    await page.close();
  });
});

describe('the dashboard with 200 servers', { skip: whyNoBrowser }, () => {
  it('leaves its main thread mostly idle', async (test) => {
    const servers = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const server = createServer((_request, response) => response.end('ok'));
        await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
        test.after(() => server.close());
        test.after(() => server.closeAllConnections());
        return `127.0.0.1:${(server.address() as AddressInfo).port}`;
      }),
    );
    const [port, adminPort] = [await freePort(), await freePort()];
    await startBalancer(test, {
      listeners: [`127.0.0.1:${port}`],
      pools: { web: { policy: 'round-robin', servers } },
      admin: { address: `127.0.0.1:${adminPort}` },
      workers: 1,
      log: { access: 'off' },
    });
    const load = new PacedLoad({ port, links: 8, pauseMs: 20 });
    test.after(() => load.stop());
    const browser = await startBrowser(test);
    for (const view of ['pools', 'overview']) {
      const { page, complaints } = await openPage(
        browser,
        `http://127.0.0.1:${adminPort}/#${view}`,
      );
      const shown = view === 'pools' ? 'table.servers tbody tr' : '.squares i';
      await until('200 servers', 30_000, async () => (await page.locator(shown).count()) === 200);
      const session = await page.context().newCDPSession(page);
      // Time of the thread itself: on a machine that others use, a clock's time is also theirs.
      await session.send('Performance.enable', { timeDomain: 'threadTicks' });
      const look = async (): Promise<Readonly<Record<string, number>>> => {
        const { metrics } = await session.send('Performance.getMetrics');
        const atMs = await page.evaluate<number>('performance.now()');
        return { atMs, ...Object.fromEntries(metrics.map(({ name, value }) => [name, value])) };
      };
      const from = await look();
      const sinceOf = (now: Readonly<Record<string, number>>, name: string): number =>
        (now[name] ?? 0) - (from[name] ?? 0);
      const to = await until('six seconds of the page', 60_000, async () => {
        await pause(500);
        const now = await look();
        return sinceOf(now, 'atMs') >= 6_000 ? now : null;
      });
      const shareOf = (name: string): number => sinceOf(to, name) / (sinceOf(to, 'atMs') / 1_000);
      const share = shareOf('TaskDuration');
      const parts = ['TaskDuration', 'ScriptDuration', 'RecalcStyleDuration', 'LayoutDuration'];
      const said = parts.map((name) => `${name} ${(shareOf(name) * 100).toFixed(1)} %`).join(', ');
      test.diagnostic(`${view}: ${said}`);
      assert.ok(share < 0.3, `${view}: ${said}`);
      assert.deepEqual(complaints, []);
      await page.close();
    }
  });
});
