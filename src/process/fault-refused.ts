import type { OperationOutcome } from '../control/publish/operations.ts';

/** The refusal of a fault that a test wants planted where none can be. */
export function faultRefused(worker: number, workers: number): OperationOutcome {
  const requirement = 'EVENKEEL_TEST_FAULTS=1 and the index of a running worker';
  const found = `worker ${worker} of ${workers}`;
  const message = `Cannot plant a fault as ${requirement} is required: current value is ${found}`;
  return {
    ok: false,
    problem: { code: 'unknown-worker', message, path: null, requirement, found },
  };
}
