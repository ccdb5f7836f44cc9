/**
 * True if threads can run this code: Node.js 20 does not load TypeScript sources in a thread. Run
 * from its sources, as most tests do, the tool does the same work without threads. The tests of
 * threads compile the sources first (`test/helpers/compiled.ts`).
 */
export const HAS_THREADS: boolean = import.meta.url.endsWith('.js');
