import { describe } from 'vitest';
import { matrixOf, skipReason } from './device.ts';
import { appFaults, composeFaults } from './faults.ts';

describe.skipIf(skipReason())('faults', () => {
  const { generations, withApp, withEveryFault } = matrixOf('graph');
  if (withApp) appFaults('graph');
  for (const generation of generations) composeFaults('graph', generation, withEveryFault);
});
