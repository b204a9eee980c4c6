/** One request of the table and the pool (or fixed answer) that must serve it. */
export interface RoutingRow {
  readonly to: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly minor: 0 | 1;
  /** The connection comes from an address that is not trusted. */
  readonly isStranger: boolean;
}

interface Said {
  readonly method?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
  readonly minor?: 0 | 1;
  readonly isStranger?: boolean;
}

const to = (pool: string, target: string, said: Said = {}): RoutingRow => ({
  to: pool,
  method: said.method ?? 'GET',
  host: said.host ?? 'www.example.org',
  target,
  headers: said.headers ?? [],
  minor: said.minor ?? 1,
  isStranger: said.isStranger ?? false,
});
const via = (address: string): string => `X-Forwarded-For: ${address}`;

/** Routes in written order; every one but `blocked` goes to a pool of its own name. */
export const routingRoutes: readonly Readonly<Record<string, unknown>>[] = [
  {
    name: 'blocked',
    match: { client: ['203.0.113.0/24', 'file:blocked.txt'] },
    respond: { status: 403, body: 'blocked' },
  },
  { name: 'api', match: { host: 'api.example.com', path: ['/v2/*', '/health'] } },
  { name: 'admin', match: { host: '*.example.com', path: '/admin/*', client: '10.0.0.0/8' } },
  { name: 'beta', match: { cookie: { beta: '1' } } },
  { name: 'mobile', match: { header: { 'User-Agent': { pattern: 'Android|iPhone' } } } },
  { name: 'tenant', match: { method: ['GET', 'HEAD'], header: { 'x-tenant': ['red', 'blue'] } } },
  {
    name: 'search',
    match: { path: '/search', query: { q: { present: true }, lang: { not: 'de' } } },
  },
  {
    name: 'upload',
    match: {
      method: ['POST', 'PUT'],
      contentType: ['image/*', 'application/pdf'],
      size: { min: '4B', max: '1KiB' },
    },
  },
  { name: 'german', match: { country: ['DE', 'AT'] } },
  { name: 'asia', match: { continent: 'AS' } },
  { name: 'network', match: { asn: 64500 } },
  { name: 'old', match: { protocol: 'http/1.0' } },
  { name: 'users', match: { pathPattern: '^/users/[0-9]+/(posts|likes)$' } },
  { name: 'evil', match: { pathPattern: ['^/(a+)+$', '^/(x+x+)+y'] } },
  {
    name: 'mixed',
    match: {
      any: [{ path: '/any/*', method: 'POST' }, { header: { 'x-any': { prefix: 'yes' } } }],
      not: { host: 'no.example.org' },
    },
  },
  {
    name: 'days',
    match: { path: '/always', time: { from: '00:00', to: '24:00', zone: 'Asia/Tokyo' } },
  },
  { name: 'all' },
];

/** 120 requests: of each route some that it takes and some that it only just does not. */
export const routingRows: readonly RoutingRow[] = [
  to('blocked', '/', { headers: [via('203.0.113.9')] }),
  to('blocked', '/v2/x', { host: 'api.example.com', headers: [via('203.0.113.255')] }),
  to('blocked', '/', { headers: [via('198.18.0.7')] }),
  to('blocked', '/', { headers: [via('2001:db8:bad::1')] }),
  to('all', '/', { headers: [via('203.0.112.255')] }),
  to('all', '/', { headers: [via('198.18.0.8')] }),
  to('all', '/', { headers: [via('203.0.113.9')], isStranger: true }),
  // The last one that is not trusted counts, whatever stands before it.
  to('all', '/', { headers: [via('203.0.113.9, 203.0.112.1')] }),
  to('blocked', '/', { headers: [via('203.0.112.1, 203.0.113.9')] }),
  to('blocked', '/', { headers: [via('203.0.112.1'), via('203.0.113.9')] }),

  to('api', '/v2', { host: 'api.example.com' }),
  to('api', '/v2/', { host: 'api.example.com' }),
  to('api', '/v2/users?q=1', { host: 'api.example.com' }),
  to('api', '/health', { host: 'API.Example.com.' }),
  to('api', '/health', { host: 'api.example.com:8080' }),
  to('api', '/x/../v2/y', { host: 'api.example.com' }),
  to('api', '/%76%32/y', { host: 'api.example.com' }),
  to('api', '/v2/x', { host: 'api.example.com', method: 'DELETE' }),
  to('all', '/v2x', { host: 'api.example.com' }),
  to('all', '/V2/x', { host: 'api.example.com' }),
  to('all', '/health/x', { host: 'api.example.com' }),
  to('all', '/v2/x', { host: 'api.example.org' }),
  to('all', '/v2/x', { host: 'x.api.example.com' }),

  to('admin', '/admin', { host: 'a.example.com', headers: [via('10.1.2.3')] }),
  to('admin', '/admin/x', { host: 'a.b.example.com', headers: [via('10.255.255.255')] }),
  to('admin', '/admin/x', { host: 'a.example.com', headers: [via('::ffff:10.0.0.1')] }),
  to('all', '/admin/x', { host: 'a.example.com', headers: [via('11.0.0.0')] }),
  to('all', '/admin/x', { host: 'example.com', headers: [via('10.1.2.3')] }),
  to('all', '/admin/x', { host: 'a.example.com' }),
  to('all', '/admin/x', { host: 'a.example.com', headers: [via('10.1.2.3')], isStranger: true }),
  to('all', '/administrator', { host: 'a.example.com', headers: [via('10.1.2.3')] }),

  to('beta', '/', { headers: ['Cookie: beta=1'] }),
  to('beta', '/', { headers: ['Cookie: a=b; beta="1"; c=d'] }),
  to('beta', '/', { headers: ['Cookie: a=b', 'Cookie: beta=1'] }),
  to('beta', '/', { headers: ['cookie:beta=0;beta=1'] }),
  to('beta', '/', { headers: ['Cookie: beta=1', 'User-Agent: iPhone'] }),
  to('all', '/', { headers: ['Cookie: beta=11'] }),
  to('all', '/', { headers: ['Cookie: Beta=1'] }),
  to('all', '/', { headers: ['Cookie: xbeta=1'] }),
  to('all', '/', { headers: ['Cookie: beta'] }),
  to('all', '/?beta=1'),

  to('mobile', '/', { headers: ['User-Agent: Mozilla/5.0 (Linux; Android 14)'] }),
  to('mobile', '/x', { headers: ['user-agent: iPhone'] }),
  to('mobile', '/', { headers: ['USER-AGENT: my iPhone', 'X-Tenant: red'] }),
  to('all', '/', { headers: ['User-Agent: Mozilla/5.0 (X11; Linux x86_64)'] }),
  to('all', '/', { headers: ['User-Agent: android'] }),
  to('all', '/', { headers: ['X-User-Agent: Android'] }),

  to('tenant', '/', { headers: ['X-Tenant: red'] }),
  to('tenant', '/', { headers: ['x-tenant:   blue  '] }),
  to('tenant', '/', { method: 'HEAD', headers: ['X-Tenant: blue'] }),
  to('tenant', '/', { headers: ['X-Tenant: green', 'X-Tenant: red'] }),
  to('all', '/', { headers: ['X-Tenant: Red'] }),
  to('all', '/', { headers: ['X-Tenant: red, blue'] }),
  to('all', '/', { headers: ['X-Tenant:'] }),
  to('all', '/', { method: 'OPTIONS', headers: ['X-Tenant: red'] }),
  to('all', '/', { method: 'POST', headers: ['X-Tenant: red', 'Content-Length: 0'] }),
  // A field that Connection names does not reach the server, so it decides nothing.
  to('all', '/', { headers: ['Connection: x-tenant', 'X-Tenant: red'] }),

  to('search', '/search?q=a'),
  to('search', '/search?q'),
  to('search', '/search?x=1&q=&lang=en'),
  to('search', '/search?%71=a+b'),
  to('search', '/search?q=1&lang=DE'),
  to('search', '/search?q=1&xlang=de'),
  to('all', '/search?q=1&lang=de'),
  to('all', '/search?q=1&lang=en&lang=de'),
  to('all', '/search?q=1&lang=d%65'),
  to('all', '/search'),
  to('all', '/search?'),
  to('all', '/search/?q=1'),
  to('all', '/search?Q=1'),

  to('upload', '/', { method: 'POST', headers: ['Content-Type: image/png', 'Content-Length: 4'] }),
  to('upload', '/', {
    method: 'PUT',
    headers: ['Content-Type: IMAGE/JPEG;q=1', 'Content-Length: 1024'],
  }),
  to('upload', '/', {
    method: 'POST',
    headers: ['content-type: application/pdf', 'Content-Length: 10'],
  }),
  to('upload', '/x?y', {
    method: 'POST',
    headers: ['Content-Type: image/svg+xml', 'Content-Length: 10'],
  }),
  to('all', '/', { method: 'POST', headers: ['Content-Type: image/png', 'Content-Length: 3'] }),
  to('all', '/', { method: 'POST', headers: ['Content-Type: image/png', 'Content-Length: 1025'] }),
  to('all', '/', { method: 'POST', headers: ['Content-Type: text/plain', 'Content-Length: 4'] }),
  to('all', '/', {
    method: 'POST',
    headers: ['Content-Type: application/pdfx', 'Content-Length: 4'],
  }),
  to('all', '/', { method: 'POST', headers: ['Content-Length: 4'] }),
  to('all', '/', { method: 'PATCH', headers: ['Content-Type: image/png', 'Content-Length: 4'] }),
  to('all', '/', {
    method: 'POST',
    headers: ['Content-Type: image/png', 'Transfer-Encoding: chunked'],
  }),
  to('all', '/', {
    method: 'POST',
    headers: ['Content-Type: image/png', 'Content-Type: image/png', 'Content-Length: 4'],
  }),

  to('german', '/', { headers: [via('192.0.2.1')] }),
  to('german', '/v2/x', { headers: [via('192.0.2.255')] }),
  to('german', '/', { headers: [via('2001:db8:a::1')] }),
  to('german', '/', { headers: [via('[2001:db8:a::1]:443')] }),
  to('german', '/', { headers: [via('192.0.2.1:5000')] }),
  to('all', '/', { headers: [via('192.0.2.1')], isStranger: true }),
  // where there is no X-Forwarded-For; never from a stranger
  to('german', '/', { headers: ['Forwarded: for=192.0.2.1'] }),
  to('all', '/', { headers: ['Forwarded: for=192.0.2.1'], isStranger: true }),
  to('api', '/v2/x', { host: 'api.example.com', headers: [via('192.0.2.1')] }),

  to('asia', '/', { headers: [via('198.51.100.1')] }),
  to('asia', '/', { headers: [via('2001:db8:c::7')] }),
  to('asia', '/', { headers: [via('192.0.2.1, 198.51.100.1')] }),
  to('all', '/', { headers: [via('198.51.101.1')] }),

  to('network', '/', { headers: [via('100.64.0.1')] }),
  to('network', '/', { headers: [via('100.127.255.255')] }),
  to('all', '/', { headers: [via('100.128.0.1')] }),
  to('asia', '/', { headers: [via('198.51.100.64')] }),

  to('old', '/', { minor: 0 }),
  to('old', '/users/1/posts', { minor: 0 }),
  to('beta', '/', { minor: 0, headers: ['Cookie: beta=1'] }),

  to('users', '/users/1/posts'),
  to('users', '/users/007/likes?all'),
  to('users', '/users/%31/posts'),
  to('all', '/users/1/postsx'),
  to('all', '/users/x/posts'),
  to('all', '/v1/users/1/posts'),

  to('evil', '/aaaaaaaa'),
  to('evil', '/xxxxy/z'),
  to('all', `/${'a'.repeat(4000)}!`),
  to('all', `/${'x'.repeat(4000)}`),

  to('mixed', '/any/x', { method: 'POST', headers: ['Content-Length: 0'] }),
  to('mixed', '/x', { headers: ['X-Any: yes, indeed'] }),
  to('all', '/any/x'),
  to('all', '/x', { headers: ['X-Any: no'] }),
  to('all', '/x', { host: 'no.example.org', headers: ['X-Any: yes'] }),
  to('all', '/any/x', { host: 'no.example.org', method: 'POST', headers: ['Content-Length: 0'] }),

  to('days', '/always'),
  to('all', '/always/x'),
];
