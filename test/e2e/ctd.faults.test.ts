import { describe } from 'vitest';
import { skipReason } from './device.ts';
import { appFaults, composeFaults } from './faults.ts';

describe.skipIf(skipReason())('faults', () => {
  appFaults('ctd');
  composeFaults('ctd', '2026-09');
});
