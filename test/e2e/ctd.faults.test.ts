import { describe } from 'vitest';
import { matrixOf, skipReason } from './device.ts';
import { appFaults, composeFaults } from './faults.ts';

describe.skipIf(skipReason())('faults', () => {
  const { generations, withApp, withEveryFault } = matrixOf('ctd');
  if (withApp) appFaults('ctd');
  for (const generation of generations) composeFaults('ctd', generation, withEveryFault);
});
