/** Where images may come from. */
export const MODES = ['registry-first', 'local-first', 'online', 'offline'] as const;
export type Mode = (typeof MODES)[number];

export type SourceKind = 'cache' | 'daemon' | 'registry';

const ORDER: Record<Mode, readonly SourceKind[]> = {
  'registry-first': ['registry', 'daemon'],
  'local-first': ['cache', 'daemon', 'registry'],
  online: ['registry'],
  offline: ['cache', 'daemon'],
};

/**
 * The sources to ask for an image by name, in order; what one does not have, the next is asked for. Bytes that are
 * known by digest come from the cache in every mode.
 */
export function sourceOrder(mode: Mode): readonly SourceKind[] {
  return ORDER[mode];
}
