import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';

/** Sends a JSON document to a URL. Errors: rejects with the reason unless it is answered 2xx in time. */
export type SendWebhook = (url: string, body: unknown, timeoutMs: number) => Promise<void>;

/** Over a connection of its own; what the answer says is not read. */
export const sendWebhook: SendWebhook = (url, body, timeoutMs) =>
  new Promise((resolve, reject) => {
    const text = JSON.stringify(body);
    const ask = url.startsWith('https:') ? requestTls : requestPlain;
    const asking = ask(
      url,
      {
        method: 'POST',
        agent: false,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'user-agent': 'evenkeel',
        },
      },
      (answer) => {
        clearTimeout(timer);
        const status = answer.statusCode ?? 0;
        answer.destroy();
        if (status >= 200 && status < 300) resolve();
        else reject(new Error(`it answered ${status}`));
      },
    );
    const timer = setTimeout(() => {
      asking.destroy(new Error(`no answer within ${timeoutMs} ms`));
    }, timeoutMs);
    asking.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(error.message === '' ? (error.code ?? 'no connection') : error.message));
    });
    asking.end(text);
  });
