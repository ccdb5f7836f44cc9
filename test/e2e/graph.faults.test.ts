import { describe } from 'vitest';
import { skipReason } from './device.ts';
import { appFaults, composeFaults } from './faults.ts';

describe.skipIf(skipReason())('faults', () => {
  appFaults('graph');
  composeFaults('graph', '2026-09');
});
