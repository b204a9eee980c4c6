import type { Clock } from '../../platform/clock.ts';
import type { SendWebhook } from '../../platform/webhook.ts';

/** What a notifier works with. */
export interface NotifierMeans {
  readonly send: SendWebhook;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/** Messages that wait; a receiver that is away for long gets the latest. */
const WAITING_MAX = 64;
const TIMEOUT_MS = 5_000;
/** How long after each failure it is tried again; then the message is given up. */
const AGAIN_MS = [1_000, 5_000, 25_000] as const;

interface Message {
  readonly url: string;
  readonly body: unknown;
  failures: number;
}

/** Sends messages to webhooks one after the other, each a few times. */
export class Notifier {
  readonly #means: NotifierMeans;
  readonly #waiting: Message[] = [];
  #isSending = false;

  constructor(means: NotifierMeans) {
    this.#means = means;
  }

  notify(url: string, body: unknown): void {
    this.#waiting.push({ url, body, failures: 0 });
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.splice(1, 1);
      this.#means.warn(
        'Cannot send to webhooks as fast as there is to tell: the oldest is dropped',
      );
    }
    this.#next();
  }

  #next(): void {
    const message = this.#waiting[0];
    if (message === undefined || this.#isSending) return;
    this.#isSending = true;
    this.#means.send(message.url, message.body, TIMEOUT_MS).then(
      () => this.#done(message),
      (error: unknown) => this.#failed(message, error),
    );
  }

  #failed(message: Message, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    const againMs = AGAIN_MS[message.failures++];
    if (againMs === undefined) {
      // The path of a webhook may be a secret.
      const { host } = new URL(message.url);
      this.#means.warn(`Cannot tell the webhook at ${host}: ${why}; it is given up`);
      this.#done(message);
      return;
    }
    this.#means.clock.after(againMs, () => {
      this.#isSending = false;
      this.#next();
    });
  }

  #done(message: Message): void {
    this.#isSending = false;
    if (this.#waiting[0] === message) this.#waiting.shift();
    this.#next();
  }
}
