/** True where threads can run this code: not from the TypeScript sources, which Node.js 20 does not load. */
export const HAS_THREADS: boolean = import.meta.url.endsWith('.js');
