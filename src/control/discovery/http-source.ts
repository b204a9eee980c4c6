import type { HttpDiscovery } from '../config/discovery.ts';
import { readServerList } from '../config/load.ts';
import { formatProblem } from '../config/problem.ts';
import { askAgain } from './ask-again.ts';
import type { StartSource } from './source.ts';

/** A URL whose JSON is the list. The validator of its last answer saves sending an unchanged list. */
export const startHttp: StartSource<HttpDiscovery> = (source, means, sink) => {
  const { url, headers, timeoutMs, intervalMs } = source;
  let validator: string | null = null;
  return askAgain(means, sink, async () => {
    const {
      status,
      headers: fields,
      body,
    } = await means.http.get({
      url,
      socketPath: null,
      headers: {
        accept: 'application/json',
        ...(validator === null ? {} : { 'if-none-match': validator }),
        ...headers,
      },
      timeoutMs,
      ca: null,
    });
    if (status === 304 && validator !== null) return { servers: null, nextMs: intervalMs };
    if (status !== 200) throw new Error(`the answer has status ${status}`);
    const list = readServerList('answer.json', body);
    if (!list.ok) {
      const [first] = list.problems;
      throw new Error(first === undefined ? 'the answer is no list' : formatProblem(first));
    }
    const { etag } = fields;
    validator = typeof etag === 'string' ? etag : null;
    return { servers: list.servers, nextMs: intervalMs };
  });
};
