import { isHostName, parseIp, parseListenAddress } from './address.ts';
import * as form from './forms.ts';
import type { RecordShape } from './shape.ts';
import { choice, count, key, mapOf, oneOrMore, record, written } from './shape.ts';

const sourceUrl: form.Form = {
  ...form.text(
    'URL',
    'a URL that begins with http:// or https://',
    '^https?://[^\\s/?#@]+([/?][^\\s#]*)?$',
  ),
  read: (text) => {
    const isUrl = /^https?:\/\/[^\s/?#@]+([/?][^\s#]*)?$/.test(text) && URL.canParse(text);
    return isUrl ? { value: text } : { suggestion: null };
  },
};
const filePath = form.text('file path', 'the path of a file', '^[^\\u0000-\\u001f]{1,1024}$');
const resolverAddress: form.Form = {
  name: 'name server',
  says: 'the IP address of a name server, with a port where it is not 53, such as "10.0.0.2" or "127.0.0.1:5353"',
  pattern: '^(\\[[0-9A-Fa-f:.]+\\](:[0-9]{1,5})?|[0-9A-Fa-f:.]+|[0-9.]+:[0-9]{1,5})$',
  read: (text) => {
    const address = parseListenAddress(text);
    const isRight = parseIp(text) !== null || (address?.kind === 'ip' && address.port > 0);
    return isRight ? { value: text } : { suggestion: null };
  },
};
const dnsName: form.Form = {
  name: 'DNS name',
  says: 'a DNS name such as app.internal or _http._tcp.app.internal',
  pattern: '^[A-Za-z0-9._-]{1,254}$',
  read: (text) =>
    isHostName(text) ? { value: text.toLowerCase().replace(/\.$/, '') } : { suggestion: null },
};
const fieldName = form.text(
  'field name',
  'the name of a header field',
  "^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$",
);
const fieldValue: form.Form = {
  ...form.text('field value', 'a text of printable letters', '^[\\u0020-\\u007e]{0,4096}$'),
  isSecret: true,
};
const kubernetesName = form.text(
  'Kubernetes name',
  'a name of 1 to 63 letters a-z, digits and hyphens',
  '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$',
);
const portName: form.Form = {
  ...form.text(
    'port or its name',
    'a port from 1 to 65535 or the name of one',
    '^[a-z0-9-]{1,15}$',
  ),
  numbers: [1, 65_535],
};
const dockerLabel = form.text(
  'Docker label',
  'the name of a label, or name=value',
  '^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}(=[^\\u0000-\\u001f]{0,256})?$',
);
const networkName = form.text(
  'network name',
  'the name of a network',
  '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$',
);

const docker = record(
  'docker source',
  'a label or a map with a label',
  {
    label: key(written(dockerLabel), 'Running containers that have it are the servers.', {
      isRequired: true,
    }),
    socket: key(written(filePath), "Docker's socket.", { default: '/var/run/docker.sock' }),
    network: key(written(networkName), 'The network whose addresses are used.', {
      default: "the container's first",
    }),
  },
  { short: 'label', later: ['swarm', 'tls', 'host'] },
);

const kubernetes = record(
  'kubernetes source',
  'the name of a service or a map with a service',
  {
    service: key(written(kubernetesName), 'Its ready endpoints are the servers.', {
      isRequired: true,
    }),
    namespace: key(written(kubernetesName), 'Where the service is.', {
      default: 'our own, else `default`',
    }),
    port: key(written(portName), 'Number or name of its port.', {
      default: 'the only one it has',
    }),
    apiServer: key(written(sourceUrl), 'The API server.', {
      default: 'https://kubernetes.default.svc',
    }),
    tokenFile: key(written(filePath), 'The file of the bearer token; read before each request.', {
      default: "the service account's",
    }),
    caFile: key(written(filePath), 'Certificates that the API server is checked by.', {
      default: "the service account's",
    }),
  },
  { short: 'service', later: ['labelSelector', 'kubeconfig'] },
);

/** One of `discover` of a pool. */
export const discovery: RecordShape = record(
  'discovery source',
  'a map with dns, file, http, docker or kubernetes',
  {
    dns: key(written(dnsName), 'A name whose records are the servers.'),
    file: key(
      written(filePath),
      'A watched file with a list of servers, written as in `servers`; YAML, or JSON by its name.',
    ),
    http: key(written(sourceUrl), 'Asked for a JSON list of servers, written as in `servers`.'),
    docker: key(docker, 'Containers of this machine.'),
    kubernetes: key(kubernetes, 'EndpointSlices of a service.'),
    type: key(
      choice(['a', 'aaaa', 'srv']),
      'dns: which records. Each address is a server; srv tells ports, weights and backups (a higher priority number) too.',
      { default: 'a' },
    ),
    port: key(
      count(1, 65_535),
      'dns, docker: the port of every server; containers may have the label `evenkeel.port` instead.',
    ),
    resolvers: key(oneOrMore(written(resolverAddress), 8), 'dns: the name servers to ask.', {
      default: "the system's",
    }),
    ttlMin: key(written(form.duration('100ms', '1h')), 'dns: an answer is used at least so long.', {
      default: '1s',
    }),
    ttlMax: key(written(form.duration('1s', '24h')), 'dns: and at most so long.', {
      default: '5m',
    }),
    interval: key(
      written(form.duration('100ms', '1h')),
      'dns with type srv, http: time between two questions.',
      { default: '10s for srv, 1s for http' },
    ),
    headers: key(
      mapOf(fieldName, written(fieldValue), { least: 0, most: 32 }),
      'http: fields sent along; their values are shown nowhere.',
      { default: 'none' },
    ),
    timeout: key(written(form.duration('10ms', '1m')), 'http: time for one question.', {
      default: '2s',
    }),
    keepLast: key(
      written(form.duration('0ms', '168h')),
      'How long an answer that takes away too many servers at once is held back before it is believed; 0ms believes at once. Failures to answer never take a server away.',
      { default: '1m; 0ms for file' },
    ),
    vanish: key(
      written(form.percentage),
      'Share of the servers that may vanish at once without being held back; one always may, the last one never.',
      { default: '50%' },
    ),
  },
  { later: ['consul', 'etcd', 'nomad', 'ec2', 'path', 'tls'] },
);
