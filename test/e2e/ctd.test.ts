import { matrixOf } from './device.ts';
import { releaseSuite } from './releases.ts';
import { structureSuite } from './structure.ts';
import { tenSuite } from './ten.ts';

structureSuite('ctd');
for (const generation of matrixOf('ctd').generations) releaseSuite('ctd', generation);
tenSuite('ctd');
