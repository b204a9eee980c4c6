/** The public library surface: what configurations and policies in TypeScript import from `evenkeel`. */
export type { CustomMeans, CustomPicker, CustomPolicy } from './balance/custom.ts';
export type { Candidate, PickRequest, PolicyNeed } from './balance/policy.ts';
export type {
  AdminInput,
  ConfigInput,
  DurationInput,
  HooksInput,
  LimitsInput,
  ListenerInput,
  LogInput,
  PercentageInput,
  PolicyInput,
  PolicyModuleInput,
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
export type {
  HookAnswer,
  HookDecision,
  HookPick,
  HookRedirect,
  HookRequest,
  HookResponse,
  HookServer,
  Hooks,
} from './model/hooks.ts';
export { defineHooks } from './model/hooks.ts';
