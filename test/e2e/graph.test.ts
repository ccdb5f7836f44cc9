import { releaseSuite } from './releases.ts';
import { structureSuite } from './structure.ts';

structureSuite('graph');
releaseSuite('graph', '2026-09');
releaseSuite('graph', '2025-10');
