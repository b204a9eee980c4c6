import { authorization } from './session.ts';

/** What an open stream tells. */
export interface StreamListener {
  onOpen(): void;
  onEvent(event: string, json: string): void;
  /** It is tried again by itself; `isRefused`: the balancer wants a token (or another one). */
  onLost(isRefused: boolean): void;
}

const retryMs = 1_000;
const retryMsMax = 10_000;

/**
 * Follows server-sent events until it is stopped. Not an EventSource: that cannot send the token which
 * reads from other machines need.
 */
export function followStream(path: string, listener: StreamListener): () => void {
  const stopped = new AbortController();
  void follow(path, listener, stopped.signal);
  return () => stopped.abort();
}

async function follow(path: string, listener: StreamListener, signal: AbortSignal): Promise<void> {
  for (let failures = 0; !signal.aborted; failures++) {
    let isRefused = false;
    try {
      const response = await fetch(path, { signal, headers: authorization() });
      isRefused = response.status === 401;
      if (response.ok && response.body !== null) {
        listener.onOpen();
        failures = 0;
        await read(response.body, listener);
      }
    } catch {
      // The balancer is away, or we were told to stop: what matters is said below.
    }
    if (signal.aborted) return;
    listener.onLost(isRefused);
    if (isRefused) return;
    await new Promise((resolve) =>
      setTimeout(resolve, Math.min(retryMs * 2 ** failures, retryMsMax)),
    );
  }
}

async function read(body: ReadableStream<Uint8Array>, listener: StreamListener): Promise<void> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as never)
    .getReader() as ReadableStreamDefaultReader<string>;
  let waiting = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    for (let end = waiting.indexOf('\n\n'); end >= 0; end = waiting.indexOf('\n\n')) {
      const [, event, json] = /^event: (.*)\ndata: (.*)$/.exec(waiting.slice(0, end)) ?? [];
      waiting = waiting.slice(end + 2);
      if (event !== undefined && json !== undefined) listener.onEvent(event, json);
    }
  }
}
