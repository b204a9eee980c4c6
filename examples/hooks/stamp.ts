import { defineHooks, type Hooks } from 'evenkeel';

const stamp: Hooks = defineHooks({
  onRequest: (request) => {
    request.notes.set('startedMs', performance.now());
    request.setHeader('X-Trace', request.requestId);
  },
  onResponse: (response) => {
    const startedMs = Number(response.request.notes.get('startedMs'));
    const took = (performance.now() - startedMs).toFixed(1);
    response.setHeader('Server-Timing', `upstream;dur=${took}`);
    response.setHeader('X-Served-By', response.server);
    response.removeHeader('X-Powered-By');
  },
});

export default stamp;
