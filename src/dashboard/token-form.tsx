import type { VNode } from 'preact';
import { useState } from 'preact/hooks';
import { setToken } from './session.ts';

/** Asks for the token before anything can be read: the page was opened from another machine. */
export function TokenForm({ onGiven }: { readonly onGiven: () => void }): VNode {
  const [text, setText] = useState('');
  return (
    <form
      class="panel narrow"
      onSubmit={(event) => {
        event.preventDefault();
        setToken(text);
        onGiven();
      }}
    >
      <h1>Token needed</h1>
      <p>
        From another machine everything needs the token of this balancer. It stands in the{' '}
        <code>.token</code> file beside the admin socket, or in <code>admin.token</code>.
      </p>
      <TokenField value={text} onInput={setText} />
      <button type="submit" class="primary">
        Show the dashboard
      </button>
    </form>
  );
}

interface FieldProps {
  readonly value: string;
  readonly onInput: (text: string) => void;
}

/** The field for it: nothing that a browser would keep. */
export function TokenField({ value, onInput }: FieldProps): VNode {
  return (
    <label class="field">
      <span>Token</span>
      <input
        type="password"
        name="admin-token"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        required
      />
    </label>
  );
}
