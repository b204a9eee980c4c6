import type { ConfigDiscovery } from '../config/discovery.ts';
import type { RunningSource, SourceMeans, SourceSink } from './source.ts';

/**
 * Sets a source to work by its kind: here a new kind gets its line. Modules are loaded only when a source of
 * their kind is there.
 */
export function startSource(
  source: ConfigDiscovery,
  means: SourceMeans,
  sink: SourceSink,
): RunningSource {
  let running: RunningSource | null = null;
  let isStopped = false;
  loadKind(source, means, sink)
    .then((start) => {
      if (!isStopped) running = start();
    })
    .catch((error: unknown) => sink.failed(`its code cannot be loaded: ${String(error)}`));
  return {
    stop: () => {
      isStopped = true;
      running?.stop();
    },
  };
}

async function loadKind(
  source: ConfigDiscovery,
  means: SourceMeans,
  sink: SourceSink,
): Promise<() => RunningSource> {
  switch (source.kind) {
    case 'dns': {
      const { startDns } = await import('./dns-source.ts');
      return () => startDns(source, means, sink);
    }
    case 'file': {
      const { startFile } = await import('./file-source.ts');
      return () => startFile(source, means, sink);
    }
    case 'http': {
      const { startHttp } = await import('./http-source.ts');
      return () => startHttp(source, means, sink);
    }
    case 'docker': {
      const { startDocker } = await import('./docker-source.ts');
      return () => startDocker(source, means, sink);
    }
    case 'kubernetes': {
      const { startKubernetes } = await import('./kubernetes-source.ts');
      return () => startKubernetes(source, means, sink);
    }
  }
}
