import { defineHooks, type Hooks } from 'evenkeel';

/** Who has the cookie `variant=b` gets the new shop; `?variant=b` sets it. */
const ab: Hooks = defineHooks({
  onRequest: (request) => {
    const asked = new URLSearchParams(request.query).get('variant');
    const variant = asked ?? request.cookie('variant') ?? 'a';
    request.notes.set('asked', asked);
    if (variant === 'b') request.choosePool('shop-new');
    request.setHeader('X-Variant', variant === 'b' ? 'b' : 'a');
  },
  onResponse: (response) => {
    const asked = response.request.notes.get('asked');
    if (asked === 'a' || asked === 'b') {
      response.addHeader('Set-Cookie', `variant=${asked}; Path=/; HttpOnly; SameSite=Lax`);
    }
  },
});

export default ab;
