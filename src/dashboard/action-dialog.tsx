import type { VNode } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, hasToken, serverPath, setToken } from './session.ts';
import { TokenField } from './token-form.tsx';

/** What somebody wants to do. */
export type Action =
  | { readonly kind: 'token' }
  | {
      readonly kind: 'drain' | 'ready' | 'weight';
      readonly pool: string;
      readonly address: string;
      readonly weight: number;
      readonly inFlight: number;
    };

interface Props {
  readonly action: Action | null;
  readonly onClose: () => void;
}

interface Words {
  readonly title: string;
  readonly says: string;
  readonly button: string;
}

function wordsOf(action: Action): Words {
  switch (action.kind) {
    case 'token':
      return {
        title: 'Unlock actions',
        says: 'Changes need the token of this balancer: the .token file beside the admin socket, or admin.token. It is kept until this page is closed or loaded again.',
        button: 'Keep the token',
      };
    case 'drain': {
      const runs = action.inFlight === 1 ? '1 request' : `${action.inFlight} requests`;
      return {
        title: 'Drain this server?',
        says: `It gets no new traffic. What runs there now (${runs}) is finished.`,
        button: 'Drain',
      };
    }
    case 'ready':
      return {
        title: 'Take this server back?',
        says: 'It gets its share of new traffic again.',
        button: 'Take back',
      };
    default:
      return {
        title: 'Change the weight?',
        says: 'Shares of new traffic follow the weights. 0 takes no new traffic; 1000 is the most.',
        button: 'Set the weight',
      };
  }
}

/** Asks before anything is changed, and for the token where none was given yet. */
export function ActionDialog({ action, onClose }: Props): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (action !== null && dialog.current?.open === false) dialog.current.showModal();
    if (action === null && dialog.current?.open === true) dialog.current.close();
  }, [action]);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="dialog-title">
      {action !== null && <Form key={keyOf(action)} action={action} onClose={onClose} />}
    </dialog>
  );
}

function keyOf(action: Action): string {
  return action.kind === 'token' ? 'token' : `${action.kind} ${action.pool}/${action.address}`;
}

interface FormProps {
  readonly action: Action;
  readonly onClose: () => void;
}

function Form({ action, onClose }: FormProps): VNode {
  const [token, keepToken] = useState('');
  const [weight, setWeight] = useState(action.kind === 'token' ? 0 : action.weight);
  const [problem, setProblem] = useState<string | null>(null);
  const [isTokenWanted, setTokenWanted] = useState(action.kind === 'token' || !hasToken());
  const words = wordsOf(action);
  const submit = async (): Promise<void> => {
    if (isTokenWanted) setToken(token);
    const answer = await carryOut(action, weight);
    if (answer === null || answer.ok) {
      onClose();
      return;
    }
    if (answer.isTokenWanted) {
      setToken('');
      setTokenWanted(true);
    }
    setProblem(answer.isTokenWanted ? 'This is not the token of this balancer.' : answer.why);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2 id="dialog-title">{words.title}</h2>
      {action.kind !== 'token' && (
        <p class="subject">
          {action.pool}/{action.address}
        </p>
      )}
      <p>{words.says}</p>
      {action.kind === 'weight' && <WeightField value={weight} onInput={setWeight} />}
      {isTokenWanted && <TokenField value={token} onInput={keepToken} />}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="dialog-end">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" class="primary">
          {words.button}
        </button>
      </div>
    </form>
  );
}

function carryOut(action: Action, weight: number): ReturnType<typeof ask> | Promise<null> {
  if (action.kind === 'token') return Promise.resolve(null);
  const change = action.kind === 'weight' ? { weight } : { draining: action.kind === 'drain' };
  return ask('PATCH', serverPath(action.pool, action.address), change);
}

interface WeightProps {
  readonly value: number;
  readonly onInput: (weight: number) => void;
}

function WeightField({ value, onInput }: WeightProps): VNode {
  return (
    <label class="field">
      <span>Weight</span>
      <input
        type="number"
        name="weight"
        min={0}
        max={1000}
        step={1}
        value={value}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
        required
      />
    </label>
  );
}
