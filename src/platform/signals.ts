/**
 * Calls `onSignal` for each of the signals instead of their usual effect. Returns what takes it
 * back.
 */
export function onSignals(
  signals: readonly NodeJS.Signals[],
  onSignal: (signal: NodeJS.Signals) => void,
): () => void {
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

/** The signals that an operator may send (config.md). SIGUSR1 belongs to Node's inspector. */
export const operatorSignals = ['SIGHUP', 'SIGTERM', 'SIGINT', 'SIGUSR2'] as const;
