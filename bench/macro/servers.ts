import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, LOAD_CORE, spawnPinned, untilListening } from './machine.ts';

/** Ports of what stands behind the balancers. */
export interface Servers {
  /** nginx: /small, /100k, /1m, /healthz. */
  readonly fixed: number;
  /** Node: chunked answers of 1–16 KiB, request bodies read whole. */
  readonly chunked: number;
  /** Node: echoes bytes. */
  readonly echo: number;
}

/** Starts the servers on the load's core. */
export async function startServers(directory: string): Promise<Servers> {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, '100k'), Buffer.alloc(102_400, 'x'));
  writeFileSync(join(files, '1m'), Buffer.alloc(1_048_576, 'x'));
  writeFileSync(join(files, 'small'), Buffer.alloc(128, 'x'));
  const fixed = await freePort();
  const configuration = join(directory, 'origin.conf');
  writeFileSync(
    configuration,
    `worker_processes 1; daemon off; pid ${directory}/origin.pid; error_log ${directory}/origin.log;
worker_rlimit_nofile 20000;
events { worker_connections 16384; }
http { access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on;
open_file_cache max=16; client_body_temp_path ${directory}/o1; proxy_temp_path ${directory}/o2;
fastcgi_temp_path ${directory}/o3; uwsgi_temp_path ${directory}/o4; scgi_temp_path ${directory}/o5;
server { listen 127.0.0.1:${fixed} backlog=8192; root ${files};
location = /healthz { return 200 "ok"; }
location = /small { return 200 "${'x'.repeat(128)}"; } } }`,
  );
  spawnPinned(LOAD_CORE, ['nginx', '-c', configuration, '-p', directory]);
  const chunked = await freePort();
  const echo = await freePort();
  const script = fileURLToPath(new URL('./node-servers.ts', import.meta.url));
  spawnPinned(LOAD_CORE, [process.execPath, script, String(chunked), String(echo)]);
  await untilListening(fixed, 'the nginx server');
  await untilListening(chunked, 'the chunked server');
  await untilListening(echo, 'the echo server');
  return { fixed, chunked, echo };
}
