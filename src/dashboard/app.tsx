import type { VNode } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Action, ActionDialog } from './action-dialog.tsx';
import { EventsView } from './events-view.tsx';
import { Header } from './header.tsx';
import { Overview } from './overview.tsx';
import { PoolsView } from './pools-view.tsx';
import { Store } from './store.ts';
import { TailView } from './tail-view.tsx';
import { TokenForm } from './token-form.tsx';
import { type View, views } from './views.ts';

function viewOfAddress(): View {
  const name = location.hash.slice(1);
  return views.find((view) => view === name) ?? 'overview';
}

/** The whole page. */
export function App(): VNode {
  const [, draw] = useState(0);
  const [view, setView] = useState(viewOfAddress);
  const [action, setAction] = useState<Action | null>(null);
  const store = useMemo(() => new Store(() => draw((count) => count + 1)), []);
  useEffect(() => {
    store.connect();
    const onHash = (): void => setView(viewOfAddress());
    addEventListener('hashchange', onHash);
    return () => removeEventListener('hashchange', onHash);
  }, [store]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header store={store} view={view} onToken={() => setAction({ kind: 'token' })} />
      <main id="main" tabIndex={-1}>
        <Content store={store} view={view} onAction={setAction} />
      </main>
      <ActionDialog action={action} onClose={() => setAction(null)} />
    </>
  );
}

interface ContentProps {
  readonly store: Store;
  readonly view: View;
  readonly onAction: (action: Action) => void;
}

function Content({ store, view, onAction }: ContentProps): VNode {
  const { shape, tick, connection } = store;
  if (connection === 'refused') return <TokenForm onGiven={() => store.connect()} />;
  if (shape === null || tick === null) {
    const says = connection === 'lost' ? 'The balancer does not answer.' : 'Waiting for figures …';
    return <p class="loading">{says}</p>;
  }
  if (view === 'pools') {
    return <PoolsView shape={shape} tick={tick} trails={store.trails} onAction={onAction} />;
  }
  if (view === 'traffic') return <TailView shape={shape} />;
  if (view === 'events') return <EventsView events={store.events} />;
  return <Overview store={store} shape={shape} tick={tick} />;
}
