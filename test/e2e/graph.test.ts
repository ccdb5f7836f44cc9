import { structureSuite } from './structure.ts';

structureSuite('graph');
