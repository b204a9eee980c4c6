/** A bug of ours: what must hold did not. Ends the worker, which is then replaced. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * States what must hold whatever peers do. Errors: throws `InvariantError` when it does not;
 * nothing on the data plane catches it. Never call it with a condition that untrusted input decides.
 */
export function invariant(condition: unknown, whatMustHold: string): asserts condition {
  if (!condition) throw new InvariantError(`invariant: ${whatMustHold}`);
}

let onSuspicion: (what: string) => void = () => {};

/** Reports what should not happen where we are not sure enough to end the worker. */
export function suspect(condition: unknown, what: string): void {
  if (!condition) onSuspicion(what);
}

/** Where suspicions are reported; the thread's entry sets it once. */
export function reportSuspicions(report: (what: string) => void): void {
  onSuspicion = report;
}
