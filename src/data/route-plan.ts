import type { HeadEdits } from '../wire/http1/head-edits.ts';
import { ascii } from '../wire/http1/tokens.ts';
import { pageFor } from './error-pages.ts';
import type { Exchange } from './exchange.ts';
import type { MirrorCopy } from './mirror.ts';
import { SERVER_MARK } from './request-text.ts';
import type { CompiledActions } from './route-actions.ts';

/** What an exchange keeps of its route's actions; made only for those that outlive the request's head. */
export class RoutePlan {
  readonly actions: CompiledActions;
  /** Changes of the request's lines, for the writing of its head. */
  readonly requestEdits: HeadEdits | null;
  /** Lines for the answer, rendered from the request, with a mark for the server; null = constant. */
  readonly responseLines: readonly string[] | null;
  /** The copy of this request, while there is one to make. */
  mirror: MirrorCopy | null = null;

  constructor(
    actions: CompiledActions,
    requestEdits: HeadEdits | null,
    responseLines: readonly string[] | null,
  ) {
    this.actions = actions;
    this.requestEdits = requestEdits;
    this.responseLines = responseLines;
  }

  /** Whether an error page stands for this answer of a server. */
  replaces(exchange: Exchange, status: number): boolean {
    if (!this.actions.replacesErrors || status < 400) return false;
    return pageFor(exchange.route!.errorPages, status)?.replacesUpstream ?? false;
  }

  /** Changes of the answer's lines; null = none. */
  responseEdits(exchange: Exchange): HeadEdits | null {
    const rules = this.actions.response;
    if (rules === null) return null;
    if (rules.constant !== null) return rules.constant;
    const server = exchange.serverState?.server.address ?? '';
    return { drops: rules.drops, lines: linesOf(this.responseLines ?? [], server), host: null };
  }
}

/** Lines with their ends; those whose facts are all unknown are left out. */
export function linesOf(lines: readonly string[], server: string): Uint8Array {
  let text = '';
  for (const line of lines) {
    const filled = line.replaceAll(SERVER_MARK, server);
    if (!filled.endsWith(': ')) text += `${filled}\r\n`;
  }
  return ascii(text);
}
