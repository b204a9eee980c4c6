import { driverConformance } from '../driver.conformance.ts';
import { createPortableDriver } from './driver.ts';

driverConformance('portable', () => createPortableDriver({ worker: 0 }));
