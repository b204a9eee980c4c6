import type { ComponentChildren, VNode } from 'preact';

/** What a state means to somebody who looks: whether, and how much, to worry. */
export type Tone = 'good' | 'warn' | 'bad' | 'rest';

const tones: Readonly<Record<string, Tone>> = {
  up: 'good',
  well: 'good',
  draining: 'rest',
  degraded: 'warn',
  ejected: 'bad',
  refusing: 'bad',
  unresolved: 'bad',
  down: 'bad',
  panic: 'bad',
  open: 'bad',
};

/** The tone of a server's state or a pool's condition. */
export function toneOf(state: string): Tone {
  return tones[state] ?? 'rest';
}

const marks: Readonly<Record<Tone, string>> = { good: '●', warn: '▲', bad: '■', rest: '◆' };

/** A state in a word, with a mark whose shape differs too, since not everybody sees colours. */
export function State({ state }: { readonly state: string }): VNode {
  const tone = toneOf(state);
  return (
    <span class={`state tone-${tone}`}>
      <i aria-hidden="true">{marks[tone]}</i>
      <span>{state}</span>
    </span>
  );
}

interface PanelProps {
  readonly title: string;
  /** Behind the title, at the right. */
  readonly aside?: ComponentChildren;
  readonly class?: string;
  readonly children: ComponentChildren;
}

/** A titled part of a view. */
export function Panel({ title, aside, children, class: more = '' }: PanelProps): VNode {
  return (
    <section class={`panel ${more}`} aria-label={title}>
      <div class="panel-head">
        <h2>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly values: readonly Value[];
  readonly chosen: Value;
  readonly onChoose: (value: Value) => void;
}

/** A few values, one of which is chosen. */
export function Choice<Value extends string>(props: ChoiceProps<Value>): VNode {
  const { label, values, chosen, onChoose } = props;
  return (
    <fieldset class="choice">
      <legend class="unseen">{label}</legend>
      {values.map((value) => (
        <button
          key={value}
          type="button"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {value}
        </button>
      ))}
    </fieldset>
  );
}
