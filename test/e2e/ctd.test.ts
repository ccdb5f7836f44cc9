import { releaseSuite } from './releases.ts';
import { structureSuite } from './structure.ts';

structureSuite('ctd');
releaseSuite('ctd', '2026-09');
releaseSuite('ctd', '2025-10');
