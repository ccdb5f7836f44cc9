import type { Api } from '../../server/api.ts';
import type { Deployment } from '../../server/deployments.ts';
import { listDeploymentDevices, listDeployments, listTargets } from '../../server/deployments.ts';
import type { Role, RolloutDeployment } from './history.ts';

/** Names in one request: they are a part of its address. */
const NAMES_AT_ONCE = 20;

/** A deployment as it was seen last. */
interface Seen {
  record: RolloutDeployment;
  /** Equal as long as nothing changed. Undefined if the server does not tell. */
  counters: string | undefined;
}

/**
 * Watches the deployments of some artifacts. Each look returns all of them, oldest first, without
 * those of other versions that are older than all of this one. It reads only those again that
 * changed.
 */
export class RolloutWatch {
  readonly #api: Api;
  readonly #seen = new Map<string, Seen>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** `roles`: what devices get under each artifact name. */
  async look(roles: ReadonlyMap<string, Role>): Promise<RolloutDeployment[]> {
    const records: RolloutDeployment[] = [];
    for (const deployment of await this.#list(roles)) {
      const artifact = roles.get(deployment.artifact_name);
      if (artifact === undefined || (artifact === 'other' && records.length === 0)) continue;
      records.push({ ...(await this.#read(deployment)), artifact });
    }
    return records;
  }

  /** Asks for this version first: other versions count only after a deployment of this one. */
  async #list(roles: ReadonlyMap<string, Role>): Promise<Deployment[]> {
    const isOther = (name: string): boolean => (roles.get(name) ?? 'other') === 'other';
    const names = [...roles.keys()].sort((a, b) => Number(isOther(a)) - Number(isOther(b)));
    const all: Deployment[] = [];
    for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
      const name = names.slice(from, from + NAMES_AT_ONCE);
      const hasOwn = all.some(({ artifact_name: artifact }) => !isOther(artifact));
      if (name.every(isOther) && !hasOwn) return [];
      all.push(...(await listDeployments(this.#api, { name })));
    }
    return all.sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
  }

  async #read(deployment: Deployment): Promise<RolloutDeployment> {
    const { id, status, statistics } = deployment;
    const counters = statistics === undefined ? undefined : JSON.stringify([status, statistics]);
    const before = this.#seen.get(id);
    if (before !== undefined && counters !== undefined && before.counters === counters) return before.record;
    const targets = before?.record.targets ?? (await listTargets(this.#api, id));
    const devices = await listDeploymentDevices(this.#api, id);
    const record: RolloutDeployment = {
      ...{ id, artifact: 'delta', finished: status === 'finished', targets },
      statuses: new Map(devices.map((one) => [one.id, one.status])),
      ended: new Map(
        devices.flatMap(({ id: device, finished: at }) => (at === undefined ? [] : [[device, at]])),
      ),
    };
    this.#seen.set(id, { record, counters });
    return record;
  }
}
