import type { ProcessStatus } from './build-status.ts';
import { type Exposition, labelText } from './exposition.ts';
import type { AccessLogStatus, TracingStatus, WorkerStatus } from './status.ts';

/** What a process knows of its threads beside their status. */
export interface ThreadMeans {
  /** Lateness of a worker's loop in µs, tick by tick, as a histogram. */
  readonly lagOf: (worker: number) => Float64Array;
  /** Sum of the delays of control's own loop, ms. */
  readonly controlLagMs: number;
}

/** What drivers report that only grows, with its meaning; the rest are gauges. */
const driverCounters: Readonly<Record<string, string>> = {
  acceptFailures: 'Links not accepted for want of descriptors.',
  bufferMisses: 'Receives that found no buffer and had to be asked for again.',
  ringEnters: 'Calls of io_uring_enter.',
  ringTurns: 'Turns of the ring within the loop.',
  ringCompletions: 'Completions taken from the ring.',
};

const driverGauges: Readonly<Record<string, string>> = {
  links: 'Links now open, to clients and to servers.',
  linksOpen: 'Links now open, to clients and to servers.',
  buffersInUse: 'Data buffers that hold bytes.',
  buffersFree: 'Data buffers made and free.',
  buffersOfKernel: 'Data buffers that the kernel may fill.',
  buffersTouched: 'Data buffers made.',
  receivesWaiting: 'Links that wait for a buffer.',
  linksWaitingForBuffer: 'Links that wait for a buffer.',
  ringPending: 'Operations that the kernel has and has not completed.',
};

/** Version, configuration, workers: figures of the process itself. */
export function processMetrics(
  out: Exposition,
  process: ProcessStatus,
  threads: ThreadMeans,
): void {
  const { version, driver, configuration } = process;
  const gauge = (name: string, help: string, value: number): void =>
    out.gauge(`evenkeel_${name}`, help).add(value);
  out
    .gauge('evenkeel_build_info', 'Version and driver; always 1.')
    .add(1, labelText({ version, driver: driver.name }));
  const started = 'When the balancer started, in epoch seconds.';
  gauge('start_time_seconds', started, process.startedAtMs / 1000);
  gauge('draining', '1 while the process drains to its end.', Number(process.isDraining));
  const { reloads, failedReloads, lastReload } = configuration;
  const inForce = 'Version of the snapshot in force.';
  gauge('configuration_version', inForce, configuration.version);
  out.counter('evenkeel_reloads_total', 'Reloads tried.').add(reloads);
  out.counter('evenkeel_reloads_failed_total', 'Reloads refused.').add(failedReloads);
  const taken = '1 when the last reload was taken, or none was tried.';
  gauge('last_reload_success', taken, Number(lastReload?.ok ?? true));
  const reloadedAt = (lastReload?.atMs ?? process.startedAtMs) / 1000;
  gauge('last_reload_time_seconds', 'When the last reload was tried.', reloadedAt);
  const delays = 'Sum of the delays of the event loop of the control thread.';
  out.counter('evenkeel_control_lag_seconds_total', delays).add(threads.controlLagMs / 1000);
  for (const worker of process.workers) workerMetrics(out, worker, threads);
}

function workerMetrics(out: Exposition, worker: WorkerStatus, threads: ThreadMeans): void {
  const labels = labelText({ worker: worker.index });
  const isReady = Number(worker.state === 'ready');
  out.gauge('evenkeel_worker_ready', '1 while the worker takes traffic.').add(isReady, labels);
  const age = worker.heartbeatAgeMs / 1000;
  out
    .gauge('evenkeel_worker_heartbeat_age_seconds', 'Since the last sign of life.')
    .add(age, labels);
  out
    .counter('evenkeel_worker_restarts_total', 'Replacements of the thread.')
    .add(worker.restarts, labels);
  out
    .histogram('evenkeel_worker_lag_seconds', "How late ticks of the worker's event loop came.")
    .addHistogram(threads.lagOf(worker.index), labels);
  for (const [name, value] of Object.entries(worker.gauges)) {
    const metric = `evenkeel_worker_${snakeCase(name)}`;
    const help = driverCounters[name];
    if (help !== undefined) out.counter(`${metric}_total`, help).add(value, labels);
    else out.gauge(metric, driverGauges[name] ?? 'As the driver reports it.').add(value, labels);
  }
}

/** What became of access-log lines. */
export function accessLogMetrics(out: Exposition, state: AccessLogStatus): void {
  const dropped = 'Access-log lines given up because the queue was full.';
  out.counter('evenkeel_access_log_dropped_lines_total', dropped).add(state.droppedLines);
  out.counter('evenkeel_access_log_written_bytes_total', 'Bytes written.').add(state.writtenBytes);
  const queued = 'Bytes that wait to be written.';
  out.gauge('evenkeel_access_log_queued_bytes', queued).add(state.queuedBytes);
  const isFailing = Number(state.error !== null);
  out.gauge('evenkeel_access_log_failing', '1 while the target takes no lines.').add(isFailing);
}

/** How spans are sent. */
export function tracingMetrics(out: Exposition, state: TracingStatus): void {
  const sent = 'Spans that their receiver took.';
  out.counter('evenkeel_spans_sent_total', sent).add(state.sent);
  const dropped = 'Spans given up because their receiver was too slow or failing.';
  out.counter('evenkeel_spans_dropped_total', dropped).add(state.dropped);
  out.gauge('evenkeel_spans_waiting', 'Spans that wait to be sent.').add(state.waiting);
  const isFailing = Number(state.error !== null);
  out.gauge('evenkeel_tracing_failing', '1 while the receiver takes no spans.').add(isFailing);
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace(/[^a-z0-9_]/g, '_');
}
