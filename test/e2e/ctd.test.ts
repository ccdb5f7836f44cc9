import { structureSuite } from './structure.ts';

structureSuite('ctd');
