import type { HttpQuestion, LineStream } from '../../platform/http-client.ts';
import type { KubernetesDiscovery } from '../config/discovery.ts';
import { type EndpointSlice, serversOf } from './endpoint-slices.ts';
import type { RunningSource, SourceMeans, SourceSink, StartSource } from './source.ts';
import { StreamRetry } from './stream-retry.ts';

/** Where a pod finds what it needs to ask. */
const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';
const ACCOUNT_BYTES_MAX = 1_048_576;
const LIST_MS = 10_000;
/** Slices in one page of a list, as kubectl asks for. */
const PAGE = 500;
const PAGES_MAX = 100;
/** The API server ends a watch after so long; one that says nothing for longer is dead. */
const WATCH_SECONDS = 240;
const WATCH_SILENCE_MS = 300_000;

interface SliceList {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly EndpointSlice[];
}

interface WatchEvent {
  readonly type?: string;
  readonly object?: EndpointSlice & { readonly code?: number; readonly message?: string };
}

/** What the API server is asked with. */
interface Access {
  readonly namespace: string;
  readonly token: string | null;
  readonly ca: string | null;
}

/**
 * Ready endpoints of a service: one list, then a watch from its version on. A watch that ends goes on where
 * it ended; one whose version is too old (410) begins with a new list.
 */
export const startKubernetes: StartSource<KubernetesDiscovery> = (source, means, sink) =>
  new EndpointWatch(source, means, sink).start();

class EndpointWatch {
  readonly #source: KubernetesDiscovery;
  readonly #means: SourceMeans;
  readonly #sink: SourceSink;
  readonly #retry: StreamRetry;
  readonly #slices = new Map<string, EndpointSlice>();
  /** Null = list first. */
  #version: string | null = null;
  #told = '';

  constructor(source: KubernetesDiscovery, means: SourceMeans, sink: SourceSink) {
    this.#source = source;
    this.#means = means;
    this.#sink = sink;
    this.#retry = new StreamRetry(means, sink, (end) => this.#open(end));
  }

  start(): RunningSource {
    return this.#retry.start();
  }

  #open(end: (why: string) => void): LineStream {
    let stream: LineStream | null = null;
    let isStopped = false;
    const begin = async (): Promise<void> => {
      const access = await accessOf(this.#source, this.#means.readFile);
      if (this.#version === null) await this.#list(access);
      if (!isStopped) stream = this.#watch(access, end);
    };
    begin().catch((error: unknown) => {
      this.#version = null;
      if (!isStopped) end(error instanceof Error ? error.message : String(error));
    });
    return {
      stop: () => {
        isStopped = true;
        stream?.stop();
      },
    };
  }

  async #list(access: Access): Promise<void> {
    const slices: EndpointSlice[] = [];
    let version: string | null = null;
    let page = '';
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const at = page === '' ? '' : `&continue=${encodeURIComponent(page)}`;
      const question = questionOf(this.#source, access, `&limit=${PAGE}${at}`, LIST_MS);
      const { status, body } = await this.#means.http.get(question);
      if (status !== 200) throw new Error(`the API server's answer has status ${status}`);
      const { metadata, items = [] } = JSON.parse(body) as SliceList;
      slices.push(...items);
      version = metadata?.resourceVersion ?? null;
      page = metadata?.continue ?? '';
      if (page === '') break;
    }
    this.#slices.clear();
    for (const slice of slices) this.#slices.set(slice.metadata?.name ?? '', slice);
    this.#version = version;
    // A list is an answer even where it says the same: it may be the first after a failure.
    this.#told = '';
    this.#tell();
  }

  #watch(access: Access, end: (why: string) => void): LineStream {
    const more = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_SECONDS}`;
    const from = `&resourceVersion=${encodeURIComponent(this.#version ?? '')}`;
    const question = questionOf(this.#source, access, more + from, WATCH_SILENCE_MS);
    return this.#means.http.lines(question, {
      onStatus: (status) => {
        if (status === 200) this.#retry.succeeded();
        else this.#endAnew(end, `the API server's answer has status ${status}`);
      },
      onLine: (line) => this.#onLine(line, end),
      onEnd: end,
    });
  }

  #onLine(line: string, end: (why: string) => void): void {
    let event: WatchEvent;
    try {
      event = JSON.parse(line) as WatchEvent;
    } catch {
      // Whatever it was, what we know may be incomplete now.
      this.#endAnew(end, 'a line of the watch is no JSON');
      return;
    }
    const { type, object } = event;
    if (type === 'ERROR') {
      this.#endAnew(end, object?.message ?? `the watch ended with code ${object?.code ?? 'none'}`);
      return;
    }
    this.#version = object?.metadata?.resourceVersion ?? this.#version;
    if (type === 'BOOKMARK' || object === undefined) return;
    const name = object.metadata?.name ?? '';
    if (type === 'DELETED') this.#slices.delete(name);
    else this.#slices.set(name, object);
    this.#tell();
  }

  /** Ends the watch; the next one begins with a list. */
  #endAnew(end: (why: string) => void, why: string): void {
    this.#version = null;
    end(why);
  }

  #tell(): void {
    const servers = serversOf([...this.#slices.values()], this.#source.port);
    const text = JSON.stringify(servers);
    if (text === this.#told) return;
    this.#told = text;
    this.#retry.tell(() => this.#sink.found(servers));
  }
}

function questionOf(
  source: KubernetesDiscovery,
  access: Access,
  more: string,
  timeoutMs: number,
): HttpQuestion {
  const api = source.apiServer.replace(/\/$/, '');
  const path = `/apis/discovery.k8s.io/v1/namespaces/${access.namespace}/endpointslices`;
  const selector = encodeURIComponent(`kubernetes.io/service-name=${source.service}`);
  return {
    url: `${api}${path}?labelSelector=${selector}${more}`,
    socketPath: null,
    headers: {
      accept: 'application/json',
      ...(access.token === null ? {} : { authorization: `Bearer ${access.token}` }),
    },
    timeoutMs,
    ca: access.ca,
  };
}

/** Read anew for each attempt: tokens are renewed in their file. What is not named may be missing. */
async function accessOf(
  source: KubernetesDiscovery,
  readFile: SourceMeans['readFile'],
): Promise<Access> {
  const read = async (path: string | null, standard: string): Promise<string | null> => {
    const file = await readFile(path ?? `${ACCOUNT}/${standard}`, ACCOUNT_BYTES_MAX);
    if (file.ok) return new TextDecoder().decode(file.bytes).trim();
    if (path === null) return null;
    throw new Error(`${path} cannot be read: ${file.found}`);
  };
  const [token, ca] = [await read(source.tokenFile, 'token'), await read(source.caFile, 'ca.crt')];
  const own = source.namespace ?? (await read(null, 'namespace')) ?? 'default';
  return { namespace: own, token, ca };
}
