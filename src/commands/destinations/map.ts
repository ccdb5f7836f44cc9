import { readFile } from 'node:fs/promises';
import { parse as parseYaml } from 'yaml';
import { localMap } from '../../destinations/localMap.ts';
import { WORKFLOWS } from '../../destinations/model.ts';
import { readMap } from '../../destinations/readMap.ts';
import type { Maps, Resolution } from '../../destinations/resolve.ts';
import { resolveEntry } from '../../destinations/resolve.ts';
import { httpSession, offlineSession } from '../../destinations/session.ts';
import type { Session } from '../../destinations/session.ts';
import { createStarmap } from '../../destinations/starmap.ts';
import { NotFoundError, UsageError, messageOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { createHttp } from '../../http/http.ts';
import type { Context } from '../terminal/command.ts';
import type { MapFlags } from '../options/destinations.ts';

/**
 * The maps that the options name: one at hand, a server, or one before the other. Throws UsageError where there is neither,
 * and for a map that is wrong.
 */
export async function openMaps(flags: MapFlags, context: Context): Promise<Maps> {
  const given = await mapAtHand(flags);
  if (given === undefined && flags.offline === true) {
    throw new UsageError('Cannot use "--offline" without defining "--repo" mappings.');
  }
  if (given === undefined && flags.starmapUrl === undefined) {
    throw new UsageError('there is no destination map', {
      hint: 'name a file with --repo-file, or a server with --starmap-url',
    });
  }
  const session = sessionOf(flags, context);
  const local = given && { map: localMap(readMap(given.value, given.source)), source: given.source };
  return { starmap: createStarmap({ session, local: local?.map }), server: session.source, local };
}

/** The client of the server of maps; throws UsageError without one. */
export async function openMapServer(flags: MapFlags, context: Context): Promise<Maps> {
  if (flags.starmapUrl !== undefined || flags.offline === true) return openMaps(flags, context);
  throw new UsageError('only a server of maps knows this', { hint: 'name it with --starmap-url' });
}

function sessionOf({ starmapUrl, offline }: MapFlags, { log, signal }: Context): Session {
  if (starmapUrl === undefined || offline === true) return offlineSession;
  const url = URL.canParse(starmapUrl) ? new URL(starmapUrl) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new UsageError(`--starmap-url ${starmapUrl}: expected a URL like https://starmap.example`);
  }
  return httpSession({ http: createHttp({ log }), url: starmapUrl, signal });
}

interface GivenMap {
  value: unknown;
  source: string;
}

/** An empty list is the same as none; --repo wins over --repo-file. */
async function mapAtHand({ repo, repoFile }: MapFlags): Promise<GivenMap | undefined> {
  const texts: [source: string, text: () => Promise<string>, parse: (text: string) => unknown][] = [];
  if (repo !== undefined) texts.push(['--repo', () => Promise.resolve(repo), JSON.parse]);
  if (repoFile !== undefined) texts.push([repoFile, () => readText(repoFile), parseYaml]);
  for (const [source, text, parse] of texts) {
    const value = parsed(await text(), source, parse);
    if (!Array.isArray(value) || value.length > 0) return { value, source };
  }
  return undefined;
}

/** The text of a file; throws UsageError if it can't be read. */
async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(error, `reading ${path}`);
  }
}

/** What a YAML or JSON file holds. Throws UsageError, in one line. */
export async function readYamlFile(path: string): Promise<unknown> {
  return parsed(await readText(path), path, parseYaml);
}

function parsed(text: string, source: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${source}: ${messageOf(error).split('\n')[0] ?? ''}`);
  }
}

/** Where an application goes; says on the log what was left out. Throws NotFoundError where no map knows. */
export async function resolveName(
  maps: Maps,
  { name, version }: { name: string; version?: string | undefined },
  { workflow, cloud = 'mender' }: MapFlags,
  { log }: Context,
): Promise<Resolution> {
  const wanted = { name, version, cloud, workflow: workflow && WORKFLOWS[workflow] };
  const found = await resolveEntry(wanted, maps);
  if (found === undefined) {
    const what = [name, version, workflow && `of workflow ${workflow}`, `for cloud ${cloud}`].filter(Boolean);
    throw new NotFoundError(`no destination map knows ${what.join(' ')}`, {
      hint: 'check the name of the application, --workflow and --cloud',
    });
  }
  const { entry, path, others, otherClouds } = found;
  if (others > 0) log.warning(`${path}: ${others + 1} entries fit ${name}; this is the first one, and used`);
  if (otherClouds > 0) log.info(`${name}: skipped ${otherClouds} entries of other clouds than ${cloud}`);
  if (Object.keys(entry.billing_code_config).length > 0) {
    log.info(`${path}: its billing-code-config means nothing to Mender`);
  }
  return found;
}
