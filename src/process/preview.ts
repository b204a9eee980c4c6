import type { Discoverer } from '../control/discovery/discoverer.ts';
import { impactOf, type LiveTraffic } from '../control/publish/impact.ts';
import type { ConfigText, PreviewOutcome } from '../control/publish/operations.ts';
import type { Publisher } from '../control/publish/publisher.ts';
import { type Loaded, loadSource } from './configuration-source.ts';
import type { RunOptions } from './run-options.ts';

/** What a preview works on. */
export interface PreviewMeans {
  /** Where a reload would read. */
  readonly options: RunOptions;
  readonly publisher: Publisher;
  readonly discoverer: Discoverer;
  readonly live: () => LiveTraffic;
}

/** Says what a configuration would change; sources of discovery that would be new are not asked. */
export async function preview(
  candidate: ConfigText | null,
  { options, publisher, discoverer, live }: PreviewMeans,
): Promise<PreviewOutcome> {
  const loaded = candidate === null ? await loadSource(options) : await loadText(candidate);
  if (!loaded.ok) return loaded;
  const { config } = loaded;
  const after = publisher.preview(config, discoverer.foundFor(config.pools));
  return { ok: true, impact: impactOf(publisher.effective, after, live()) };
}

async function loadText({ name, text }: ConfigText): Promise<Loaded> {
  const [{ loadConfig }, { formatProblem }] = await Promise.all([
    import('../control/config/load.ts'),
    import('../control/config/problem.ts'),
  ]);
  const result = await loadConfig({ kind: 'text', name, text });
  if (result.ok) return { ok: true, config: result.config };
  return { ok: false, problems: result.problems.map(formatProblem) };
}
