import type { VNode } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { clock } from './format.ts';
import { State } from './parts.tsx';
import { ask } from './session.ts';

/** What the page takes of `/v1/pools/{pool}/health`. */
interface Health {
  readonly servers: readonly {
    readonly address: string;
    readonly next: string | null;
    readonly probes: readonly {
      readonly probe: string;
      readonly why: string;
      readonly inARow: number;
    }[];
    readonly history: readonly {
      readonly atMs: number;
      readonly state: string;
      readonly why: string;
    }[];
    readonly decisions: readonly {
      readonly atMs: number;
      readonly kind: string;
      readonly reason: string;
    }[];
  }[];
}

interface Props {
  readonly pool: string;
  readonly address: string;
  /** Asked again when it changes. */
  readonly state: string;
}

/** Why a server is as it is: its probes, what was decided, and the history of its states. */
export function ServerDetails({ pool, address, state }: Props): VNode {
  const [server, setServer] = useState<Health['servers'][number] | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let isWanted = true;
    void ask('GET', `/v1/pools/${encodeURIComponent(pool)}/health`).then((answer) => {
      if (!isWanted) return;
      if (!answer.ok) setProblem(answer.why);
      else {
        const { servers } = answer.body as Health;
        setServer(servers.find((one) => one.address === address) ?? null);
      }
    });
    return () => {
      isWanted = false;
    };
  }, [pool, address, state]);
  if (problem !== null) return <p class="problem">{problem}</p>;
  if (server === null) return <p class="nothing">Asking …</p>;
  return (
    <div class="detail-columns">
      <section>
        <h3>Now</h3>
        <dl>
          {server.probes.map(({ probe, why, inARow }) => (
            <>
              <dt>{probe}</dt>
              <dd>
                {why}, {Math.abs(inARow)} {inARow < 0 ? 'failures' : 'passes'} in a row
              </dd>
            </>
          ))}
          <dt>Next</dt>
          <dd>{server.next ?? 'nothing is to come'}</dd>
        </dl>
      </section>
      <section>
        <h3>History</h3>
        {server.history.length === 0 && <p class="nothing">It never changed.</p>}
        <ol class="history">
          {server.history.toReversed().map((change) => (
            <li key={`${change.atMs} ${change.state}`}>
              <time>{clock(change.atMs)}</time> <State state={change.state} /> {change.why}
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}
