import type { Probe } from '../../model/snapshot.ts';

/** A probe that only connects, with the defaults of the configuration for all else. */
export const plainProbe: Probe = {
  type: 'tcp',
  port: null,
  method: 'GET',
  path: '/',
  host: null,
  headers: {},
  intervalMs: 5_000,
  fastIntervalMs: 1_000,
  downIntervalMs: 5_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
  jitterRatio: 0.2,
  expect: [],
  bodyText: null,
  bodyJson: null,
  send: null,
  receive: null,
  command: null,
  args: [],
  isWeightByExit: false,
  startState: 'down',
};
