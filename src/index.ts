/** The public library surface: what a TypeScript configuration imports from `evenkeel`. */
export type {
  AdminInput,
  ConfigInput,
  DurationInput,
  LimitsInput,
  ListenerInput,
  LogInput,
  PercentageInput,
  PolicyInput,
  PoolInput,
  PoolTimeoutsInput,
  ProbeInput,
  RequestKeyInput,
  RespondInput,
  RetryInput,
  ReuseInput,
  RouteInput,
  ServerInput,
  SizeInput,
  SlowStartInput,
  StatusRangeInput,
  StickyInput,
  TimeoutsInput,
} from './control/config/define.ts';
export { defineConfig } from './control/config/define.ts';
export type { GeoInput, MatchInput, TestInput, TimeInput } from './control/config/define-match.ts';
