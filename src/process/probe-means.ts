import type { HealthKeeperOptions } from '../control/probe/keeper.ts';
import { trafficReadings } from '../control/probe/traffic-readings.ts';
import type { CounterReader } from '../observe/counters.ts';
import type { HistogramReader } from '../observe/histograms.ts';
import { connectProbe } from '../platform/probe-link.ts';
import { runProgram } from '../platform/run-program.ts';

/** What the health keeper reaches servers with and judges their traffic by. */
export function probeMeans(
  counters: CounterReader,
  histograms: HistogramReader,
): Pick<HealthKeeperOptions, 'connect' | 'run' | 'readings'> {
  return {
    connect: connectProbe,
    run: runProgram,
    readings: trafficReadings(counters, histograms),
  };
}
