import type { Api } from '../../server/api.ts';
import type { Deployment } from '../../server/deployments.ts';
import { listDeploymentDevices, listDeployments, listTargets } from '../../server/deployments.ts';
import type { Deployed, RolloutDeployment } from './history.ts';
import { isBefore } from './history.ts';
import type { Member } from './types.ts';

/** Names in one request: they are a part of its address. */
const NAMES_AT_ONCE = 20;

/** What the devices of a deployment said, as it was seen last. */
interface Seen {
  devices: Pick<RolloutDeployment, 'statuses' | 'ended'>;
  /** Equal as long as nothing changed. Undefined if the server does not tell. */
  counters: string | undefined;
}

/**
 * Watches the deployments of some artifacts to some devices. Each look returns all that one of the
 * devices is in, oldest first, without those of other versions that the inventory knows the result
 * of. It reads only those again that changed.
 */
export class RolloutWatch {
  readonly #api: Api;
  readonly #seen = new Map<string, Seen>();
  readonly #targets = new Map<string, readonly string[]>();

  constructor(api: Api) {
    this.#api = api;
  }

  /** `brought`: what devices get under each artifact name. */
  async look(
    brought: ReadonlyMap<string, Deployed>,
    members: readonly Member[],
  ): Promise<RolloutDeployment[]> {
    const ids = new Set(members.map(({ id }) => id));
    const oldest = oldestReport(members);
    const records: RolloutDeployment[] = [];
    for (const deployment of await this.#list(brought)) {
      const what = brought.get(deployment.artifact_name);
      const isOfBefore = what?.artifact === 'other' && records.every(({ artifact }) => artifact === 'other');
      if (what === undefined || (isOfBefore && isReported(deployment, oldest))) continue;
      const targets = await this.#targetsOf(deployment);
      if (targets.some((id) => ids.has(id)))
        records.push({ ...recordOf(deployment), ...what, targets, ...(await this.#devicesOf(deployment)) });
    }
    return records;
  }

  /** Deployments named after the artifacts, and active ones of other versions under any name. */
  async #list(brought: ReadonlyMap<string, Deployed>): Promise<Deployment[]> {
    const names = [...brought.keys()];
    const found = new Map<string, Deployment>();
    if (names.length === 0) return [];
    for (const status of ['pending', 'inprogress']) {
      for (const one of await listDeployments(this.#api, { status }))
        if (brought.get(one.artifact_name)?.artifact === 'other') found.set(one.id, one);
    }
    for (let from = 0; from < names.length; from += NAMES_AT_ONCE) {
      const name = names.slice(from, from + NAMES_AT_ONCE);
      for (const one of await listDeployments(this.#api, { name })) found.set(one.id, one);
    }
    return [...found.values()].sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
  }

  async #targetsOf({ id }: Deployment): Promise<readonly string[]> {
    const targets = this.#targets.get(id) ?? (await listTargets(this.#api, id));
    this.#targets.set(id, targets);
    return targets;
  }

  async #devicesOf({ id, status, statistics }: Deployment): Promise<Seen['devices']> {
    const counters = statistics === undefined ? undefined : JSON.stringify([status, statistics]);
    const before = this.#seen.get(id);
    if (before !== undefined && counters !== undefined && before.counters === counters) return before.devices;
    const found = await listDeploymentDevices(this.#api, id);
    const devices = {
      statuses: new Map(found.map((one) => [one.id, one.status])),
      ended: new Map(
        found.flatMap(({ id: device, finished: at }) => (at === undefined ? [] : [[device, at] as const])),
      ),
    };
    this.#seen.set(id, { devices, counters });
    return devices;
  }
}

function recordOf({ id, artifact_name: artifactName, status }: Deployment) {
  return { id, artifactName, finished: status === 'finished' };
}

/** When the device reported that reported least recently. */
function oldestReport(members: readonly Member[]): string | undefined {
  return members.reduce<string | undefined>(
    (oldest, { updated }) => (oldest === undefined || isBefore(updated, oldest) ? updated : oldest),
    undefined,
  );
}

/** True if all devices have reported what they run since the deployment ended. */
function isReported({ status, finished }: Deployment, oldest: string | undefined): boolean {
  return status === 'finished' && (oldest === undefined || isBefore(finished, oldest));
}
