import type { LocalMap } from './localMap.ts';
import type { Entry } from './model.ts';
import type { Starmap } from './starmap.ts';

export interface Wanted {
  name: string;
  version?: string | undefined;
  workflow?: string | undefined;
  cloud: string;
}

/** Where an application goes, and where that stands. */
export interface Resolution {
  entry: Entry;
  /** The entry's place, as `map.yaml: [0]`. */
  path: string;
  /** More entries that would fit; the first one is used. */
  others: number;
  /** Entries that are for other clouds. */
  otherClouds: number;
}

export interface Maps {
  starmap: Starmap;
  /** The name of the server, for messages. */
  server: string;
  local?: { map: LocalMap; source: string } | undefined;
}

/**
 * The first entry that fits, in the map at hand or else on the server; undefined for none. A map at hand that knows the
 * application for other clouds only leaves the question to the server.
 */
export async function resolveEntry(
  wanted: Wanted,
  { starmap, server, local }: Maps,
): Promise<Resolution | undefined> {
  const { name, workflow, version, cloud } = wanted;
  const entries = local?.map.query({ name, workflow }) ?? [];
  const atHand = choose(
    entries,
    wanted,
    (entry) => `${local?.source ?? ''}: [${local?.map.entries.indexOf(entry) ?? 0}]`,
  );
  if (atHand !== undefined) return atHand;
  const answer = (await starmap.queryServer({ name, workflow, version })) ?? [];
  const found = choose(answer, wanted, (entry) => `${server}: ${name}: [${answer.indexOf(entry)}]`);
  const elsewhere = entries.filter((entry) => entry.cloud !== cloud).length;
  return found === undefined ? undefined : { ...found, otherClouds: found.otherClouds + elsewhere };
}

function choose(
  entries: readonly Entry[],
  { workflow, cloud }: Wanted,
  pathOf: (entry: Entry) => string,
): Resolution | undefined {
  const own = entries.filter((entry) => entry.cloud === cloud);
  const [entry, ...others] = own.filter((one) => workflow === undefined || one.workflow === workflow);
  if (entry === undefined) return undefined;
  return { entry, path: pathOf(entry), others: others.length, otherClouds: entries.length - own.length };
}
