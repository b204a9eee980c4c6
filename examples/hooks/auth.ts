import { defineHooks, type Hooks } from 'evenkeel';

/** Asks another service who the client is; without a good answer in time nobody gets in. */
const service = 'http://127.0.0.1:3003/whoami';

const auth: Hooks = defineHooks({
  onRequest: async (request) => {
    const token = request.header('authorization');
    if (token === null) {
      return { status: 401, body: 'who are you?\n', headers: { 'WWW-Authenticate': 'Bearer' } };
    }
    const answer = await fetch(service, {
      headers: { authorization: token },
      signal: request.signal,
    });
    if (!answer.ok) return { status: 403, body: 'not you\n' };
    request.setHeader('X-User', await answer.text());
    // What the servers do not need they should not see.
    request.removeHeader('Authorization');
    return undefined;
  },
});

export default auth;
