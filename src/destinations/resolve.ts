import { amountOf } from '../io/amounts.ts';
import { NotFoundError } from '../errors.ts';
import type { Log } from '../io/log.ts';
import type { LocalMap } from './localMap.ts';
import type { Entry } from './model.ts';
import { WORKFLOWS } from './model.ts';
import type { Starmap } from './starmap.ts';

/** Which entries of a map count. */
export interface MapChoice {
  workflow?: keyof typeof WORKFLOWS | undefined;
  /** `mender` if it is missing. */
  cloud?: string | undefined;
  /** Only these accounts. */
  accounts?: readonly string[] | undefined;
}

interface Wanted {
  name: string;
  /** `name-version-release`; the maps are asked for it in place of the name and version. */
  image?: string | undefined;
  version?: string | undefined;
  workflow?: string | undefined;
  cloud: string;
}

/** Where an application goes, and where the map says so. */
export interface Resolution {
  entry: Entry;
  /** The entry's place, as `map.yaml: [0]`. */
  path: string;
  /** How many more entries match; the first one is used. */
  others: number;
  /** How many entries are for other clouds. */
  otherClouds: number;
}

export interface Maps {
  starmap: Starmap;
  /** The name of the server, for messages. */
  server: string;
  local?: { map: LocalMap; source: string } | undefined;
}

/**
 * The entry for an application. Logs what is left out. Throws NotFoundError if no map knows the
 * application.
 */
export async function resolveApplication(
  maps: Maps,
  { name, version, image }: Pick<Wanted, 'name' | 'version' | 'image'>,
  { workflow, cloud = 'mender' }: MapChoice,
  log: Log,
): Promise<Resolution> {
  const found = await resolveEntry(
    { name, version, image, cloud, workflow: workflow && WORKFLOWS[workflow] },
    maps,
  );
  if (found === undefined) {
    const what = [name, version, workflow && `of workflow ${workflow}`, `for cloud ${cloud}`].filter(Boolean);
    throw new NotFoundError(`no destination map knows ${what.join(' ')}`, {
      hint: 'check the name of the application, --workflow and --cloud',
    });
  }
  const { entry, path, others, otherClouds } = found;
  if (others > 0) log.warning(`${path}: the first of ${others + 1} entries that match ${name} is used`);
  if (otherClouds > 0)
    log.info(`${name}: skipped ${amountOf(otherClouds, 'entry', 'entries')} of other clouds than ${cloud}`);
  if (Object.keys(entry.billing_code_config).length > 0) {
    log.info(`${path}: billing-code-config has no effect on Mender`);
  }
  return found;
}

/**
 * Returns the entry, and all others of its application for its cloud in the same map, of any
 * workflow and version: the destinations of all of them need artifacts.
 */
export async function listSiblings(entry: Entry, { starmap, local }: Maps): Promise<Entry[]> {
  const { name, cloud } = entry;
  const isLocal = local?.map.entries.includes(entry) === true;
  const all = isLocal ? local.map.query({ name }) : await starmap.queryServer({ name });
  return [entry, ...(all ?? []).filter((one) => one !== entry && one.cloud === cloud)];
}

/**
 * The first matching entry of the local map, else of the server. Undefined if there is no match.
 * The server is also asked if the local map knows the application for other clouds only.
 */
export async function resolveEntry(
  wanted: Wanted,
  { starmap, server, local }: Maps,
): Promise<Resolution | undefined> {
  const { name, workflow, version, cloud, image } = wanted;
  const what = image === undefined ? { name, version } : { image };
  const entries = local?.map.query({ ...what, workflow }) ?? [];
  const own = choose(
    entries,
    wanted,
    (entry) => `${local?.source ?? ''}: [${local?.map.entries.indexOf(entry) ?? 0}]`,
  );
  if (own !== undefined) return own;
  const answer = (await starmap.queryServer({ ...what, workflow })) ?? [];
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
