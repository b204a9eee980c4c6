/** What one server did in a window of time. */
export interface ServerRecord {
  readonly slot: number;
  /** Attempts that ended well, and those that speak against the server: its 5xx, resets, time-outs, failed dials. */
  readonly good: number;
  readonly faults: number;
}

/** A server that stands out among its peers, and why in words. */
export interface Standout {
  readonly slot: number;
  readonly reason: string;
}

/** What `failingServers` needs to know besides the records. */
export interface FailingRules {
  /** How much more of its attempts must fail than of its peers'; 1 = nothing stands out. */
  readonly marginRatio: number;
  /** Attempts in the window below which nothing is said of a server. */
  readonly volumeMin: number;
  /** Has the server just come back? Then less is needed to say so again. */
  readonly isProving: (slot: number) => boolean;
}

/** Envoy's factor of the deviation (`success_rate_stdev_factor`, 1900 thousandths). */
const DEVIATIONS = 1.9;
/** A chance result of a small sample lies beyond three of its standard errors once in 700. */
const SAMPLE_ERRORS = 3;
/** Fewer faults are an accident, whatever their share. */
const FAULTS_MIN = 3;
/** For a server that proves itself: the accident is expected, so less evidence is needed. */
const PROVING_VOLUME_MIN = 5;
const PROVING_FAULTS_MIN = 2;

/**
 * The servers whose share of failed attempts stands out from their peers'.
 *
 *     limit = mean + max(1.9 · deviation, 3 · sample error, margin)
 *
 * Mean and deviation are those of the better half of the other servers: with the plain mean, one bad
 * server of five lies at 2.0 deviations at most and two bad ones hide each other. The sample error is
 * that of this server's own volume, so a handful of requests condemns nobody. Source of the idea:
 * Envoy's success rate ejection. Cost: O(n log n).
 */
export function failingServers(records: readonly ServerRecord[], rules: FailingRules): Standout[] {
  if (rules.marginRatio >= 1) return [];
  const known = records.filter((record) => hasVolume(record, rules)).sort(byRate);
  // Worst first, so that a cap on ejections takes those who deserve it most.
  return known
    .flatMap((record, index) => {
      const peers = betterHalf(known, index);
      return peers === null ? [] : standout(record, peers, rules);
    })
    .reverse();
}

/**
 * The share of servers with volume that fail at least `rateMin` of their attempts: when most do, it is
 * not the servers, and taking single ones out helps nobody.
 */
export function failingShare(
  records: readonly ServerRecord[],
  volumeMin: number,
  rateMin: number,
): { readonly failing: number; readonly known: number } {
  const known = records.filter(({ good, faults }) => good + faults >= volumeMin);
  return {
    failing: known.filter((record) => rateOf(record) >= rateMin).length,
    known: known.length,
  };
}

function hasVolume({ slot, good, faults }: ServerRecord, rules: FailingRules): boolean {
  const least = Math.min(rules.volumeMin, PROVING_VOLUME_MIN);
  return good + faults >= (rules.isProving(slot) ? least : rules.volumeMin);
}

function rateOf({ good, faults }: ServerRecord): number {
  return faults === 0 ? 0 : faults / (good + faults);
}

function byRate(a: ServerRecord, b: ServerRecord): number {
  return rateOf(a) - rateOf(b);
}

/** Peers that `sorted[index]` is measured by; null for one that is itself among the better half. */
function betterHalf(
  sorted: readonly ServerRecord[],
  index: number,
): readonly ServerRecord[] | null {
  const count = Math.ceil((sorted.length - 1) / 2);
  return count === 0 || index < count ? null : sorted.slice(0, count);
}

function standout(
  record: ServerRecord,
  peers: readonly ServerRecord[],
  rules: FailingRules,
): Standout[] {
  const rate = rateOf(record);
  const volume = record.good + record.faults;
  const faultsMin = rules.isProving(record.slot) ? PROVING_FAULTS_MIN : FAULTS_MIN;
  if (record.faults < faultsMin || rate <= rules.marginRatio) return [];
  const faults = peers.reduce((sum, peer) => sum + peer.faults, 0);
  const attempts = peers.reduce((sum, peer) => sum + peer.good + peer.faults, 0);
  const mean = faults / attempts;
  const variance = peers.reduce((sum, peer) => sum + (rateOf(peer) - mean) ** 2, 0) / peers.length;
  // One fault of two attempts is added: peers without a fault are not certain never to fail.
  const expected = (faults + 1) / (attempts + 2);
  const sampleError = Math.sqrt((expected * (1 - expected)) / volume);
  const limit =
    mean +
    Math.max(DEVIATIONS * Math.sqrt(variance), SAMPLE_ERRORS * sampleError, rules.marginRatio);
  if (rate <= limit) return [];
  return [
    {
      slot: record.slot,
      reason:
        `${percent(rate)} of its last ${volume} attempts failed, ` +
        `${percent(mean)} at its peers (limit ${percent(limit)})`,
    },
  ];
}

/** The middle time to the first byte of one server in a window. */
export interface ServerLatency {
  readonly slot: number;
  readonly medianUs: number;
}

/** What makes a server slow. */
export interface SlowRules {
  /** So many times its peers' median; 0 = nothing stands out. */
  readonly factor: number;
  /** A median below this is fast enough, whatever the peers do. */
  readonly leastMs: number;
}

/** Fewer servers than this have no middle to be measured by. */
const LATENCIES_MIN = 3;

/**
 * The servers whose median time to the first byte is `factor` times the median of the other servers'
 * medians. Medians, so that a few slow requests of many say nothing. Cost: O(n log n).
 */
export function slowServers(latencies: readonly ServerLatency[], rules: SlowRules): Standout[] {
  if (rules.factor <= 0 || latencies.length < LATENCIES_MIN) return [];
  const sorted = latencies.toSorted((a, b) => a.medianUs - b.medianUs);
  return sorted
    .flatMap(({ slot, medianUs }, index) => {
      const others = medianWithout(sorted, index);
      if (medianUs < rules.leastMs * 1000 || medianUs < others * rules.factor) return [];
      const times = others > 0 ? `${(medianUs / others).toFixed(1)} times the` : 'far above the';
      const reason = `half of its answers take over ${ms(medianUs)}, ${times} ${ms(others)} of its peers`;
      return [{ slot, reason }];
    })
    .reverse();
}

/** The lower middle of all but one: with an even number of peers the faster one of the two counts. */
function medianWithout(sorted: readonly ServerLatency[], index: number): number {
  const middle = (sorted.length - 2) >> 1;
  return sorted[middle < index ? middle : middle + 1]!.medianUs;
}

function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(ratio < 0.1 && ratio > 0 ? 1 : 0)}%`;
}

function ms(us: number): string {
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}
