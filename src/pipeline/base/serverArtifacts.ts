import { DeniedError, NotFoundError, UnsupportedError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { findArtifact, listArtifacts } from '../../server/artifacts.ts';
import type { Deployment, Statistics } from '../../server/deployments.ts';
import { listDeployments, readStatistics } from '../../server/deployments.ts';
import type { NamedServer } from '../images/world.ts';
import type { Baseline } from './baseImages.ts';
import { keyOf, serverBaseline } from './record.ts';

/** How `--base` names an artifact of the server. */
export const SERVER_SCHEME = 'mender://';

/**
 * Returns the artifact that `mender://NAME` or `mender://ID` names as a baseline. Downloads
 * nothing. Throws NotFoundError if the server has no such artifact, and UnsupportedError if it has
 * no record of its images or is of another application.
 */
export async function namedServerBaseline(api: Api, name: string, application: string): Promise<Baseline> {
  const named = await listArtifacts(api, { names: [name] });
  const byId = named.length > 0 ? undefined : await findArtifact(api, name);
  const artifacts = byId === undefined ? named : [byId];
  const place = `--base ${SERVER_SCHEME}${name}`;
  if (artifacts.length === 0) {
    throw new NotFoundError(`${place}: ${api.host} has no artifact of this name or id`, {
      hint: 'mender-docker-delta artifacts list shows what it has',
    });
  }
  for (const artifact of artifacts) {
    const baseline = baselineOf(artifact, application, place);
    if (baseline !== undefined) return baseline;
  }
  throw unfit(artifacts, place, application);
}

function baselineOf(artifact: Artifact, application: string, origin: string): Baseline | undefined {
  const key = keyOf(artifact, application);
  return key === undefined ? undefined : serverBaseline(artifact, key, origin);
}

function unfit(artifacts: readonly Artifact[], place: string, application: string): UnsupportedError {
  if (artifacts.every((artifact) => keyOf(artifact, application) === undefined)) {
    const found = artifacts.flatMap(({ artifact_provides: all }) => Object.keys(all ?? {})).join(', ');
    const message = `${place}: expected an artifact of ${application}, found one that provides ${found || 'nothing'}`;
    return new UnsupportedError(message, {
      hint: ({ option }) => `build with the same ${option('manifest-name')}`,
    });
  }
  return new UnsupportedError(`${place}: it has no record of its images`, {
    hint: ({ option }) =>
      `download it with mender-docker-delta artifacts download, and name the file with ${option('base')}`,
  });
}

/**
 * The artifacts of an application on a server, which it lists once. A user who may not read
 * artifacts or deployments gets none, with a warning.
 */
export class ServerArtifacts {
  readonly name: string;
  readonly #api: Api;
  readonly #application: string;
  readonly #deviceType: string | undefined;
  readonly #log: Log;
  #own: Promise<Artifact[]> | undefined;
  #isDenied = false;

  constructor({ name, api }: NamedServer, application: string, [deviceType]: readonly string[], log: Log) {
    this.name = name;
    this.#api = api;
    this.#application = application;
    this.#deviceType = deviceType;
    this.#log = log;
  }

  /** True if the user may not read what the search asked for, so that nothing is known. */
  get isDenied(): boolean {
    return this.#isDenied;
  }

  /**
   * Yields the artifacts that were deployed with success as baselines, the latest deployment first.
   * Says so of an artifact without a record. Asks for nothing that is not needed for the next one.
   */
  async *deployed(): AsyncGenerator<Baseline> {
    try {
      const own = await this.#list();
      if (own.length === 0) return;
      for await (const name of deployedNames(this.#api, new Set(own.map((one) => one.name)))) {
        const baseline = this.#baselineNamed(name, own);
        if (baseline !== undefined) yield baseline;
      }
    } catch (error) {
      this.#warnIfDenied(error);
    }
  }

  /** Returns the artifacts of this version, as the server records them. */
  async recorded(version: string): Promise<Baseline[]> {
    try {
      const own = await this.#list();
      const all = own.flatMap((one) => baselineOf(one, this.#application, one.name) ?? []);
      return all.filter(({ metadata }) => metadata.version === version);
    } catch (error) {
      this.#warnIfDenied(error);
      return [];
    }
  }

  async #list(): Promise<Artifact[]> {
    this.#own ??= listArtifacts(this.#api, { deviceType: this.#deviceType });
    return (await this.#own).filter((artifact) => keyOf(artifact, this.#application) !== undefined);
  }

  #baselineNamed(name: string, artifacts: readonly Artifact[]): Baseline | undefined {
    const origin = `${name}, the latest on ${this.name} that was deployed`;
    const named = artifacts.filter((artifact) => artifact.name === name);
    const found = named.flatMap((one) => baselineOf(one, this.#application, origin) ?? []);
    if (found.length === 0)
      this.#log.info(`${name} on ${this.name} has no record of its images: it can't be the base`);
    return found[0];
  }

  #warnIfDenied(error: unknown): void {
    if (!(error instanceof DeniedError)) throw error;
    this.#isDenied = true;
    this.#log.warning(`${error.message}: the base does not come from the server`);
  }
}

/**
 * The names among `names` that were deployed with success, the latest first. A deployment counts
 * before its end: one device that is off would keep it open for ever.
 */
async function* deployedNames(api: Api, names: ReadonlySet<string>): AsyncGenerator<string> {
  const deployed = new Set<string>();
  for (const one of await listDeployments(api)) {
    const name = one.artifact_name;
    if (!names.has(name) || deployed.has(name) || !wasSuccessful(await countersOf(api, one))) continue;
    deployed.add(name);
    yield name;
  }
}

/** Some servers leave the counters out of a list. */
async function countersOf(api: Api, { id, statistics }: Deployment): Promise<Statistics> {
  return statistics?.status ?? readStatistics(api, id);
}

/** True if more devices ended with the artifact than without it. Pure. */
export function wasSuccessful(statistics: Statistics): boolean {
  const count = (...states: string[]): number =>
    states.reduce((sum, state) => sum + (statistics[state] ?? 0), 0);
  return count('success', 'already-installed') > count('failure', 'aborted');
}
