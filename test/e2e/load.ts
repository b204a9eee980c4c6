import { Client } from './client.ts';
import { field, type Response } from './response-reader.ts';

/** What a load is made of. */
export interface LoadOptions {
  readonly port: number;
  readonly links: number;
  /** The request of a turn; `id` comes back as `X-Id` from our origins. Default: a GET of `/`. */
  readonly request?: (id: string) => { readonly text: string; readonly method: string };
  /** Requests per link before it is opened anew; default: never. */
  readonly requestsPerLink?: number;
  readonly timeoutMs?: number;
  /** Statuses that count as success; default only 200. */
  readonly accepts?: (response: Response) => boolean;
}

/** What came of it. */
export interface LoadReport {
  readonly requests: number;
  readonly failures: number;
  /** Why, with counts. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Answers by server name (`X-Server`). */
  readonly byServer: Readonly<Record<string, number>>;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Links that were refused. */
  readonly refused: number;
}

/**
 * A closed-loop load of keep-alive links that accounts for every request: each has an id, and one
 * that is not answered whole, with its own id and an accepted status, is a failure with a reason.
 * Nothing is retried: a link that ends before any byte of an answer is a failure unless the answer before it
 * had announced the end with `Connection: close`.
 */
export class Load {
  private readonly options: LoadOptions;
  private readonly reasons = new Map<string, number>();
  private readonly byServer = new Map<string, number>();
  private readonly byStatus = new Map<string, number>();
  private requests = 0;
  private failures = 0;
  private refused = 0;
  private isStopping = false;
  private readonly loops: Promise<void>[] = [];

  constructor(options: LoadOptions) {
    this.options = options;
    for (let link = 0; link < options.links; link++) this.loops.push(this.run(link));
  }

  /** Requests answered so far. */
  get count(): number {
    return this.requests;
  }

  /** Answers of one server so far. */
  served(name: string): number {
    return this.byServer.get(name) ?? 0;
  }

  /** Ends after the requests in flight. */
  async stop(): Promise<LoadReport> {
    this.isStopping = true;
    await Promise.all(this.loops);
    return {
      requests: this.requests,
      failures: this.failures,
      reasons: Object.fromEntries(this.reasons),
      byServer: Object.fromEntries(this.byServer),
      byStatus: Object.fromEntries(this.byStatus),
      refused: this.refused,
    };
  }

  private async run(link: number): Promise<void> {
    let turn = 0;
    while (!this.isStopping) {
      const client = new Client({
        port: this.options.port,
        timeoutMs: this.options.timeoutMs ?? 15_000,
      });
      try {
        await client.open();
      } catch (error) {
        this.refused++;
        this.fail(`connect ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
        // A refusing listener must not be hammered in a tight loop for the rest of the test.
        await new Promise((resolve) => setTimeout(resolve, 10));
        continue;
      }
      let isOpen = true;
      let onThisLink = 0;
      while (isOpen && !this.isStopping) {
        isOpen = await this.turn(client, `${link}-${turn++}`);
        if (++onThisLink === this.options.requestsPerLink) isOpen = false;
      }
      client.destroy();
    }
  }

  /** One request; false when the link is spent. */
  private async turn(client: Client, id: string): Promise<boolean> {
    const request = this.options.request?.(id) ?? {
      text: `GET / HTTP/1.1\r\nHost: lb.test\r\nX-Id: ${id}\r\n\r\n`,
      method: 'GET',
    };
    try {
      client.send(request.text);
      const response = await client.response(request.method);
      this.requests++;
      return this.judge(client, response, id);
    } catch (error) {
      this.requests++;
      this.fail(error instanceof Error ? error.message.slice(0, 120) : String(error));
      return false;
    }
  }

  private judge(client: Client, response: Response | null, id: string): boolean {
    if (response === null) {
      this.fail(`no answer, link ended with ${client.error?.code ?? 'FIN'}`);
      return false;
    }
    count(this.byStatus, String(response.status));
    count(this.byServer, field(response, 'x-server') ?? 'none');
    const accepts = this.options.accepts ?? ((answer: Response) => answer.status === 200);
    if (!response.isComplete) this.fail(`cut answer of status ${response.status}`);
    else if (!accepts(response)) {
      this.fail(`status ${response.status}: ${response.body.toString('latin1').slice(0, 100)}`);
    } else if (field(response, 'x-id') !== id && response.status === 200) {
      this.fail(`answer of another request: ${field(response, 'x-id')} for ${id}`);
    }
    return response.isComplete && field(response, 'connection')?.toLowerCase() !== 'close';
  }

  private fail(reason: string): void {
    this.failures++;
    count(this.reasons, reason);
  }
}

function count(map: Map<string, number>, key: string): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}
