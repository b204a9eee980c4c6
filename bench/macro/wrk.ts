import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOAD_CORE } from './machine.ts';

/** One run of wrk. */
export interface WrkResult {
  readonly requests: number;
  /** Wall time that wrk took, µs. */
  readonly durationUs: number;
  /** Connect, read, write, time-out and status errors. */
  readonly errors: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

const DONE = `
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
`;

const BROWSER_FIELDS: Record<string, string> = {
  'User-Agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36',
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
  'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8',
  'Accept-Encoding': 'gzip, deflate, br, zstd',
  'Cache-Control': 'max-age=0',
  'Sec-Fetch-Dest': 'document',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Site': 'same-origin',
  'Upgrade-Insecure-Requests': '1',
  Referer: 'https://shop.example.com/section-7/list?page=2',
  Cookie: 'session=0a1b2c3d4e5f60718293a4b5c6d7e8f9; theme=dark; consent=all; _visit=1732147200.1',
};

// Requests are made once, so that wrk itself costs little: every fifth is a POST of 1–8 KiB.
const REALISTIC = `
local fields = {}
${Object.entries(BROWSER_FIELDS)
  .map(([name, value]) => `fields[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join('\n')}
local ready = {}
local at = 0
init = function(args)
  for i = 0, 199 do
    local path = string.format("/section-%d/item/%d?sort=price&page=%d", i % 40, i, i % 7)
    if i % 5 == 4 then
      ready[i + 1] = wrk.format("POST", path, fields, string.rep("b", 1024 * (1 + i % 8)))
    else
      ready[i + 1] = wrk.format("GET", path, fields)
    end
  end
end
request = function()
  at = at % 200 + 1
  return ready[at]
end
`;

/** Writes the scripts that the runs use. */
export function writeScripts(directory: string): {
  readonly plain: string;
  readonly realistic: string;
} {
  const plain = join(directory, 'plain.lua');
  const realistic = join(directory, 'realistic.lua');
  writeFileSync(plain, DONE);
  writeFileSync(realistic, REALISTIC + DONE);
  return { plain, realistic };
}

/** Runs wrk, one thread, on the load's core. Errors: throws when it fails. */
export async function runWrk(options: {
  readonly url: string;
  readonly links: number;
  readonly seconds: number;
  readonly script: string;
  readonly isNewLinkPerRequest: boolean;
}): Promise<WrkResult> {
  const { url, links, seconds, script } = options;
  const words = ['-c', String(LOAD_CORE), 'wrk', '-t1', `-c${links}`, `-d${seconds}s`];
  if (options.isNewLinkPerRequest) words.push('-H', 'Connection: close');
  words.push('-s', script, url);
  const child = spawn('taskset', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const match = /RESULT (\d+) (\d+) (\d+) (\d+) (\d+)/.exec(text);
  if (code !== 0 || match === null) throw new Error(`wrk ended with ${code}: ${text}`);
  const [requests, durationUs, errors, p50Us, p99Us] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ];
  return { requests, durationUs, errors, p50Us, p99Us };
}
