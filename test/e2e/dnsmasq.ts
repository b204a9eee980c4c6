import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { freePort } from './ports.ts';
import { until } from './waiting.ts';

/** What a name server answers: lines of a hosts file, and `name,target,port,priority,weight`. */
export interface Records {
  readonly hosts: readonly string[];
  readonly services?: readonly string[];
}

/** Debian's dnsmasq is installed; where tests must not be skipped, it has to be. */
export const isDnsmasqThere: boolean =
  process.env['CI'] !== undefined || spawnSync('dnsmasq', ['--version']).status === 0;

/** A dnsmasq of a test: a real name server whose answers hold for a second. */
export interface NameServer {
  /** `ip:port`. */
  readonly address: string;
  /** Replaces the addresses while it runs. */
  setHosts(hosts: readonly string[]): void;
  stop(): Promise<void>;
  start(records: Records): Promise<void>;
}

/** Starts dnsmasq on a free port of loopback; it ends with the test. */
export async function startDnsmasq(test: TestContext, records: Records): Promise<NameServer> {
  const port = await freePort();
  const directory = mkdtempSync(join(tmpdir(), 'evenkeel-dns-'));
  const hostsFile = join(directory, 'hosts');
  let child: ChildProcess | null = null;
  const setHosts = (hosts: readonly string[]): void => {
    writeFileSync(hostsFile, `127.0.0.9 ready.test\n${hosts.join('\n')}\n`);
    child?.kill('SIGHUP');
  };
  const stop = async (): Promise<void> => {
    const ending = child;
    child = null;
    if (ending === null || ending.exitCode !== null) return;
    const gone = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill('SIGKILL');
    await gone;
  };
  const start = async ({ hosts, services = [] }: Records): Promise<void> => {
    setHosts(hosts);
    const words = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      '--local=/test/',
      '--local-ttl=1',
      '--pid-file',
      `--user=${userInfo().username}`,
      `--port=${port}`,
      `--addn-hosts=${hostsFile}`,
      ...services.map((service) => `--srv-host=${service}`),
    ];
    child = spawn('dnsmasq', words, { stdio: 'ignore' });
    const resolver = new Resolver({ timeout: 200, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
    await until('dnsmasq answers', 10_000, () => resolver.resolve4('ready.test'));
  };
  test.after(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });
  await start(records);
  return { address: `127.0.0.1:${port}`, setHosts, stop, start };
}
