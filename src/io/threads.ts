/**
 * True if threads can run this code. Node.js 20 does not load the TypeScript sources in a thread.
 */
export const HAS_THREADS: boolean = import.meta.url.endsWith('.js');
