import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { span } from './format.ts';
import { hasToken } from './session.ts';
import type { Connection, Store } from './store.ts';
import { type View, views } from './views.ts';

interface HeaderProps {
  readonly store: Store;
  readonly view: View;
  readonly onToken: () => void;
}

const titles: Readonly<Record<View, string>> = {
  overview: 'Overview',
  pools: 'Pools',
  traffic: 'Traffic',
  events: 'Events',
};

const connections: Readonly<Record<Connection, string>> = {
  connecting: 'connecting',
  live: 'live',
  lost: 'no connection',
  refused: 'token needed',
};

/** The bar at the top: who this is, where to go, how the page is connected. */
export function Header({ store, view, onToken }: HeaderProps): VNode {
  const { shape, connection, tick } = store;
  return (
    <header class="bar">
      <div class="bar-inner">
        <a class="brand" href="#overview" aria-label="Evenkeel, overview">
          <Mark />
          <span>Evenkeel</span>
        </a>
        <nav aria-label="Views">
          {views.map((name) => (
            <a key={name} href={`#${name}`} aria-current={name === view ? 'page' : undefined}>
              {titles[name]}
            </a>
          ))}
        </nav>
        <div class="bar-end">
          {shape !== null && tick !== null && (
            <span class="bar-about" title={shape.file ?? 'configured by flags'}>
              {shape.version} · up {span(tick.atMs - shape.startedAtMs)}
            </span>
          )}
          <span class={`link-state is-${connection}`} role="status">
            <i aria-hidden="true" />
            {connections[connection]}
          </span>
          <ThemeButton />
          <button type="button" class="quiet" onClick={onToken} aria-pressed={hasToken()}>
            {hasToken() ? 'Unlocked' : 'Unlock'}
          </button>
        </div>
      </div>
    </header>
  );
}

function Mark(): VNode {
  return (
    <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
      <rect width="32" height="32" rx="8" class="mark-ground" />
      <path d="M6 13h20l-3.2 8.2a2 2 0 0 1-1.9 1.3h-9.800a2 2 0 0 1-1.900-1.300z" fill="#fff" />
      <path d="M6 26.5h20M16 6v5" stroke="#fff" stroke-width="2.2" stroke-linecap="round" />
    </svg>
  );
}

const themes = ['auto', 'light', 'dark'] as const;

function ThemeButton(): VNode {
  const [theme, setTheme] = useState<(typeof themes)[number]>('auto');
  useEffect(() => {
    const { dataset } = document.documentElement;
    if (theme === 'auto') delete dataset['theme'];
    else dataset['theme'] = theme;
    dispatchEvent(new Event('theme'));
  }, [theme]);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  return (
    <button
      type="button"
      class="quiet"
      onClick={() => setTheme(next)}
      aria-label={`Colours: ${theme}. Change to ${next}`}
      title={`Colours: ${theme}`}
    >
      {theme === 'auto' ? '◐' : theme === 'light' ? '☀' : '☾'}
    </button>
  );
}
