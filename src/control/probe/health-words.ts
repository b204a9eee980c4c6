import { durationText, soonText } from '../../base/duration-text.ts';
import { holdMs } from '../../health/hold.ts';
import type { OutlierJudge } from '../../health/outlier.ts';
import type { Server } from '../../model/snapshot.ts';
import { labelOf } from './probe-set.ts';
import type { ServerHealth } from './server-health.ts';
import type { ServerProbe } from './server-probe.ts';

/** What the words about a server are made of. */
export interface ServerFacts {
  readonly health: ServerHealth;
  /** As the snapshot has it. */
  readonly server: Server;
  readonly judge: OutlierJudge | null;
  readonly takesTraffic: boolean;
  readonly inFlight: number;
  /** When what still runs on a drained server is closed, epoch ms; null = never. */
  readonly closesAtMs: number | null;
  readonly nowMs: number;
  readonly wallMs: number;
}

/** By what a server is in its state, in a sentence that needs no manual. */
export function evidenceOf(facts: ServerFacts): string {
  const { health, server, takesTraffic } = facts;
  switch (health.state) {
    case 'unresolved':
      return 'its name has no address';
    case 'down':
      return downEvidence(health);
    case 'refusing':
      return health.outlierReason;
    case 'ejected':
      return takesTraffic
        ? `${health.outlierReason}; it takes traffic all the same, as too few others are well (panic)`
        : health.outlierReason;
    case 'draining':
      return health.drainReason;
    case 'up':
      if (server.weight === 0) return 'it is well, but its weight is 0: it gets no new requests';
      return takesTraffic ? wellEvidence(health) : `${wellEvidence(health)}; ${restText(facts)}`;
  }
}

/** When and how a server's state changes; null where nothing is to come. */
export function nextOf(facts: ServerFacts): string | null {
  const { health, judge, nowMs } = facts;
  switch (health.state) {
    case 'unresolved':
      return 'back as soon as its name has an address';
    case 'down':
      return nextProbe(health, nowMs);
    case 'refusing': {
      const heldMs = holdMs(judge?.countOf(health.slot) ?? 0);
      return heldMs === 0
        ? 'back as soon as it takes a connection: one is tried every second'
        : `back when it has taken connections for ${durationText(heldMs)} without a break, as it refused several times lately: one is tried every second`;
    }
    case 'ejected': {
      const untilMs = judge?.ejectedUntilMs(health.slot) ?? nowMs;
      return `back in ${soonText(untilMs - nowMs)}, then on trial: a few faults suffice for the next ejection, which lasts longer`;
    }
    case 'draining':
      return nextOfDrain(facts);
    case 'up':
      if (facts.server.weight === 0)
        return `it gets traffic with: evenkeel set ${health.pool}/${health.address} weight=1`;
      return judge?.isProving(health.slot, nowMs) === true
        ? 'on trial after an ejection: a few faults suffice for the next one'
        : null;
  }
}

function wellEvidence({ probes }: ServerHealth): string {
  if (probes === null) return 'nothing speaks against it; it has no probe';
  const words = probes.probes.filter(({ verdict }) => verdict.isUp).map((probe) => upText(probe));
  return words.length === 0 ? probes.reason : words.join('; ');
}

function upText({ probe, verdict, agent, reason }: ServerProbe): string {
  if (verdict.history().length === 0) return `its probe ${labelOf(probe)} has not ended yet`;
  if (agent !== null) return `its ${reason}`;
  const failed = -verdict.streak;
  if (failed <= 0) return `its probe ${labelOf(probe)} passes: ${reason}`;
  const last = verdict.history().at(-1)?.reason ?? '';
  return `its probe ${labelOf(probe)} fails: ${last}, ${times(failed)} so far; out after ${probe.fall} in a row`;
}

function downEvidence({ probes }: ServerHealth): string {
  const words = (probes?.probes ?? [])
    .filter(({ verdict }) => !verdict.isUp)
    .map((probe) => downText(probe));
  return words.length === 0 ? 'its probe has not passed yet' : words.join('; ');
}

function downText({ probe, verdict, agent, reason }: ServerProbe): string {
  if (agent !== null) return `${agent.isInMaintenance ? 'in maintenance: ' : ''}its ${reason}`;
  const label = `its probe ${labelOf(probe)}`;
  const { streak } = verdict;
  if (streak === 0) return `${label} has not ended yet`;
  if (streak > 0) return `${label} failed: ${reason}; since then it passed ${times(streak)}`;
  const last = verdict.history().at(-1)?.reason ?? reason;
  return `${label} fails: ${last}, ${times(-streak)} in a row`;
}

function nextProbe({ probes }: ServerHealth, nowMs: number): string {
  const down = (probes?.probes ?? []).filter(({ verdict }) => !verdict.isUp);
  return down.map((probe) => nextOfProbe(probe, nowMs)).join('; ');
}

function nextOfProbe({ probe, verdict, agent }: ServerProbe, nowMs: number): string {
  const label = labelOf(probe);
  const dueText = soonText(Math.max(0, verdict.nextAtMs - nowMs));
  if (agent !== null) {
    const words = agent.isInMaintenance ? 'ready' : 'up';
    return `back when its agent says ${words}: it is asked again in ${dueText}`;
  }
  const { passesLeft, holdMs: heldMs } = verdict;
  const inText = soonText(Math.max(0, verdict.upAtMs - nowMs));
  if (heldMs > 0) {
    return `back in ${inText} at the earliest: as it went down several times lately, ${label} has to pass for ${durationText(heldMs)} without a break; the next try is in ${dueText}`;
  }
  return passesLeft === 1
    ? `back in ${dueText} if ${label} passes then`
    : `back in about ${inText} if ${label} passes ${passesLeft} times in a row; the next try is in ${dueText}`;
}

function nextOfDrain({ health, inFlight, closesAtMs, wallMs }: ServerFacts): string {
  const { pool, address, isDrained } = health;
  const left =
    inFlight === 0
      ? 'nothing runs on it any more'
      : `${inFlight} ${inFlight === 1 ? 'request or connection still runs' : 'requests or connections still run'} on it`;
  const end =
    inFlight === 0 || closesAtMs === null
      ? ''
      : `, closed in ${soonText(Math.max(0, closesAtMs - wallMs))}`;
  const back = isDrained
    ? `back with: evenkeel ready ${pool}/${address}`
    : 'back when its agent says ready';
  return `${left}${end}; ${back}`;
}

/** A server that is well and gets nothing. */
function restText({ server, health }: ServerFacts): string {
  if (server.isBackup) return 'a backup: it gets requests when no other server can';
  if (health.probes?.factor === 0) return 'it wants no part of its weight';
  return 'others are asked before it';
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
