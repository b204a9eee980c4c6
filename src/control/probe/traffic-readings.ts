import type { TrafficReadings } from '../../health/traffic-judge.ts';
import { ServerColumn, TimingColumn } from '../../observe/columns.ts';
import type { CounterReader } from '../../observe/counters.ts';
import type { HistogramReader } from '../../observe/histograms.ts';

const goodColumns = [
  ServerColumn.S1XX,
  ServerColumn.S2XX,
  ServerColumn.S3XX,
  ServerColumn.S4XX,
] as const;

/**
 * The counters that passive health is judged by. What workers count anyway, so watching costs traffic
 * nothing. Cost: five reads per server and worker, a histogram 896 per worker.
 */
export function trafficReadings(
  counters: Pick<CounterReader, 'one'>,
  histograms: Pick<HistogramReader, 'read'>,
): TrafficReadings {
  return {
    good: (slot) => {
      let good = 0;
      for (const column of goodColumns) good += counters.one('server', slot, column);
      return good;
    },
    faults: (slot) => counters.one('server', slot, ServerColumn.FAULTS),
    firstBytes: (slot) => histograms.read('server', slot, TimingColumn.FIRST_BYTE),
  };
}
