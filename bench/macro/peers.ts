import type { ChildProcess } from 'node:child_process';
import { existsSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BALANCER_CORE, freePort, spawnPinned, untilListening } from './machine.ts';
import type { Servers } from './servers.ts';

/** A balancer under measurement: one process tree, three ways in. */
export interface Peer {
  readonly name: PeerName;
  readonly child: ChildProcess;
  /** Plain: keep-alive, no log, one server. */
  readonly http: number;
  /** 40 routes, access log and probes on, chunked server. */
  readonly realistic: number;
  /** TCP relay to the echo server; 0 where the peer cannot. */
  readonly tcp: number;
}

export type PeerName = 'evenkeel' | 'nginx' | 'haproxy';

interface Ports {
  readonly http: number;
  readonly realistic: number;
  readonly tcp: number;
}

const ROUTES = 40;
const routeNames = Array.from({ length: ROUTES }, (_, index) => `/section-${index}/`);
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Plain and realistic traffic need different log settings, so nginx and Evenkeel run once per kind. */
export type PeerKind = 'plain' | 'realistic';

/** Starts one peer with one worker on the balancers' core. */
export async function startPeer(
  name: PeerName,
  kind: PeerKind,
  directory: string,
  servers: Servers,
  root: string,
): Promise<Peer> {
  const ports = { http: await freePort(), realistic: await freePort(), tcp: await freePort() };
  const file = join(directory, `${name}-${kind}.conf`);
  const child = starters[name]({ file, kind, directory, servers, ports, root });
  const hasTcp = kind === 'plain' && (name !== 'nginx' || existsSync(STREAM_MODULE));
  await untilListening(kind === 'plain' ? ports.http : ports.realistic, `${name} (${kind})`);
  if (hasTcp) await untilListening(ports.tcp, `${name} (tcp)`);
  return { name, child, ...ports, tcp: hasTcp ? ports.tcp : 0 };
}

interface Start {
  readonly file: string;
  readonly kind: PeerKind;
  readonly directory: string;
  readonly servers: Servers;
  readonly ports: Ports;
  readonly root: string;
}

const starters: Record<PeerName, (start: Start) => ChildProcess> = {
  evenkeel: startEvenkeel,
  nginx: startNginx,
  haproxy: startHaproxy,
};

function startEvenkeel({ file, kind, directory, servers, ports, root }: Start): ChildProcess {
  const reuse = { idle: '60s', requests: 100_000_000, perWorker: 256 };
  const plain = {
    listeners: [
      { name: 'http', address: `127.0.0.1:${ports.http}` },
      { name: 'tcp', address: `127.0.0.1:${ports.tcp}`, protocol: 'tcp', pool: 'echo' },
    ],
    routes: [{ pool: 'fixed' }],
    pools: {
      fixed: { servers: [`127.0.0.1:${servers.fixed}`], reuse },
      echo: { servers: [`127.0.0.1:${servers.echo}`] },
    },
    log: { access: 'off', level: 'warn' },
  };
  const realistic = {
    listeners: [`127.0.0.1:${ports.realistic}`],
    routes: routeNames.map((prefix) => ({ match: { path: `${prefix}*` }, pool: 'app' })),
    pools: {
      app: {
        servers: [`127.0.0.1:${servers.chunked}`],
        probe: { type: 'http', path: '/healthz', interval: '1s', timeout: '900ms' },
        reuse,
      },
    },
    log: { access: join(directory, 'evenkeel-access.log'), format: 'json', level: 'warn' },
  };
  const configuration = { ...(kind === 'plain' ? plain : realistic), workers: 1 };
  writeFileSync(file.replace('.conf', '.yaml'), JSON.stringify(configuration, null, 1));
  const words = ['run', '-c', file.replace('.conf', '.yaml')];
  const socket = join(directory, `evenkeel-${kind}.sock`);
  return spawnPinned(
    BALANCER_CORE,
    [process.execPath, join(root, 'bin/evenkeel'), ...words, '--socket', socket],
    { cwd: directory },
  );
}

function startNginx({ file, kind, directory, servers, ports }: Start): ChildProcess {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory}/${kind}-${name};`)
    .join(' ');
  const forward = `proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-Host $host; proxy_max_temp_file_size 0;`;
  const pool = (name: string, port: number): string =>
    `upstream ${name} { server 127.0.0.1:${port}; keepalive 256; keepalive_requests 100000000; }`;
  const plain = `access_log off; ${pool('fixed', servers.fixed)}
server { listen 127.0.0.1:${ports.http} backlog=8192; location / { proxy_pass http://fixed; ${forward} } }`;
  const realistic = `access_log ${directory}/nginx-access.log combined; ${pool('app', servers.chunked)}
server { listen 127.0.0.1:${ports.realistic} backlog=8192;
${routeNames.map((one) => `location ${one} { proxy_pass http://app; ${forward} }`).join('\n')} }`;
  const hasStream = kind === 'plain' && existsSync(STREAM_MODULE);
  const stream = `stream { server { listen 127.0.0.1:${ports.tcp} backlog=8192; tcp_nodelay on;
proxy_pass 127.0.0.1:${servers.echo}; } }`;
  writeFileSync(
    file,
    `${hasStream ? `load_module ${STREAM_MODULE};` : ''}
worker_processes 1; daemon off; pid ${directory}/nginx-${kind}.pid;
error_log ${directory}/nginx-${kind}.log; worker_rlimit_nofile 20000;
events { worker_connections 18000; }
http { ${temp} keepalive_requests 100000000; keepalive_timeout 300s; ${kind === 'plain' ? plain : realistic} }
${hasStream ? stream : ''}`,
  );
  return spawnPinned(BALANCER_CORE, ['nginx', '-c', file, '-p', directory]);
}

function startHaproxy({ file, kind, directory, servers, ports }: Start): ChildProcess {
  const plain = `frontend http
  bind 127.0.0.1:${ports.http} backlog 8192
  option forwardfor
  default_backend fixed
backend fixed
  http-reuse always
  server s1 127.0.0.1:${servers.fixed} pool-max-conn 256
listen tcp
  mode tcp
  bind 127.0.0.1:${ports.tcp} backlog 8192
  server s1 127.0.0.1:${servers.echo}`;
  const rules = routeNames.map(
    (one, index) => `  use_backend app if { path_beg ${one} } # ${index}`,
  );
  const realistic = `frontend http
  bind 127.0.0.1:${ports.realistic} backlog 8192
  log stdout format raw local0
  option forwardfor
  option httplog
${rules.join('\n')}
backend app
  http-reuse always
  option httpchk GET /healthz
  server s1 127.0.0.1:${servers.chunked} pool-max-conn 256 check inter 1s`;
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 9500
defaults
  mode http
  option http-keep-alive
  timeout connect 2s
  timeout client 300s
  timeout server 60s
  timeout http-keep-alive 300s
${kind === 'plain' ? plain : realistic}
`,
  );
  const log = openSync(join(directory, `haproxy-${kind}.log`), 'w');
  return spawnPinned(BALANCER_CORE, ['haproxy', '-db', '-f', file], { output: log });
}
