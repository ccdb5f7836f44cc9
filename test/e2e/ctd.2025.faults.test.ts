import { describe } from 'vitest';
import { skipReason } from './device.ts';
import { composeFaults } from './faults.ts';

describe.skipIf(skipReason())('faults with the module of 2025', () => {
  composeFaults('ctd', '2025-10');
});
