import { matrixOf } from './device.ts';
import { releaseSuite } from './releases.ts';
import { structureSuite } from './structure.ts';
import { tenSuite } from './ten.ts';

structureSuite('graph');
for (const generation of matrixOf('graph').generations) releaseSuite('graph', generation);
tenSuite('graph');
