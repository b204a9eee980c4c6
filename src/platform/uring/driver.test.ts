import { limits } from '../../model/limits.ts';
import { driverConformance } from '../driver.conformance.ts';
import { createUringDriver } from './driver.ts';
import { probeUring } from './probe.ts';

const probe = probeUring();
if (probe.isUsable) {
  driverConformance('uring', () =>
    createUringDriver({
      worker: 0,
      ledger: new Int32Array(new SharedArrayBuffer(256 * 4)),
      descriptorBits: new Int32Array(new SharedArrayBuffer(limits.descriptors >>> 3)),
    }),
  );
}
