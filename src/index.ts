/** The public library surface: what a TypeScript configuration imports from `evenkeel`. */
export type {
  AdminInput,
  ConfigInput,
  DurationInput,
  LimitsInput,
  ListenerInput,
  LogInput,
  MatchInput,
  PercentageInput,
  PoolInput,
  PoolTimeoutsInput,
  ProbeInput,
  RespondInput,
  RetryInput,
  ReuseInput,
  RouteInput,
  ServerInput,
  SizeInput,
  StatusRangeInput,
  TimeoutsInput,
} from './control/config/define.ts';
export { defineConfig } from './control/config/define.ts';
