import type { MapFlags } from '../options/destinations.ts';

export const DESTINATIONS_ACTIONS = ['resolve', 'lint', 'show', 'policies', 'snapshot'] as const;
/** What the command line says; each action reads its own. */
export interface DestinationsFlags extends MapFlags {
  action: (typeof DESTINATIONS_ACTIONS)[number];
  what?: string[];
  image?: string;
  version?: string;
  output?: string;
}
