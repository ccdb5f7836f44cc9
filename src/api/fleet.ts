import type { Flags } from '../commands/rollout.ts';
import { openRollout } from '../commands/rollout.ts';
import type { DeviceQuery, FleetDevice } from '../pipeline/fleet/devices.ts';
import { listDevices, showDevice } from '../pipeline/fleet/devices.ts';
import type { StatusReport, StatusRequest } from '../pipeline/fleet/fleetStatus.ts';
import { fleetStatus } from '../pipeline/fleet/fleetStatus.ts';
import type { GroupSize } from '../pipeline/fleet/groups.ts';
import { listGroupSizes } from '../pipeline/fleet/groups.ts';
import type { RolloutPlan } from '../pipeline/rollout/rolloutPlan.ts';
import type { RolloutEnd } from '../pipeline/rollout/run.ts';
import { runRollout } from '../pipeline/rollout/run.ts';
import type { ArtifactStoreOptions } from './artifactStore.ts';
import { openApi } from './artifactStore.ts';
import type { BuildOptions } from './build.ts';
import { array, looseObject, optional, picklist } from 'valibot';
import { BUILD_SCHEMA, withPlatforms } from './build.ts';
import { checkArgument, checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { amount, flag, text, texts } from './schemas.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { methodsWithoutSecrets, withoutSecrets } from './withoutSecrets.ts';

/** The devices of a Mender server. */
export interface FleetClient {
  readonly host: string;
  /**
   * The devices that match, one by one; holds one page of them. Throws NotFoundError for an unknown
   * group, and DeniedError without the right to read the inventory.
   */
  devices(query?: DeviceQuery): AsyncIterable<FleetDevice>;
  /** Throws NotFoundError for an unknown id. */
  device(id: string): Promise<FleetDevice>;
  /** All groups with the number of their accepted devices. */
  groups(): Promise<GroupSize[]>;
  /**
   * The versions of an application in use, and which artifacts on the server serve them. Throws
   * NotFoundError, and UsageError if several applications have the name.
   */
  status(request: StatusRequest): Promise<StatusReport>;
}

const maybeText = optional(text);
const FLEET_SCHEMA: SchemaOf<Parameters<typeof fleet>[0]> = { host: maybeText, token: text };
const DEVICES_SCHEMA: SchemaOf<DeviceQuery> = {
  ...{ group: maybeText, status: maybeText, application: maybeText, version: maybeText },
  ...{ ids: optional(texts), versionKeys: optional(texts) },
  filters: optional(array(looseObject({}, 'an array of filters'), 'an array of filters')),
};
const STATUS_SCHEMA: SchemaOf<StatusRequest> = {
  ...{ application: text, group: maybeText, to: maybeText, versionKey: maybeText },
};

/** Opens the fleet of a Mender server. Throws UsageError for a wrong option. */
export function fleet(
  options: Pick<ArtifactStoreOptions, 'host' | 'token'>,
  run: RunOptions = {},
): FleetClient {
  checkOptions(options, FLEET_SCHEMA);
  const api = openApi(options, contextOf(run));
  return methodsWithoutSecrets({
    host: api.host,
    devices: (query) => {
      checkOptions(query, DEVICES_SCHEMA);
      return listDevices(api, query);
    },
    device: async (id) => {
      checkArgument('id', id, text);
      return showDevice(api, id);
    },
    groups: () => listGroupSizes(api),
    status: async (request) => {
      checkOptions(request, STATUS_SCHEMA);
      return fleetStatus(api, request);
    },
  });
}

/**
 * What to roll out, and how. The token comes from the environment (`MENDER_PAT`) or `tokenFile`.
 */
export interface RolloutOptions extends Omit<
  BuildOptions,
  'artifactFilename' | 'alsoFull' | 'force' | 'reportHtml' | 'sbom' | 'strictBase' | 'cache'
> {
  menderHost?: string;
  tokenFile?: string;
  deviceGroup?: string;
  devices?: string[];
  allDevices?: boolean;
  minDevices?: number;
  fallback?: 'full' | 'none';
  /** Growing shares: `5%,25%,100%`. */
  phases?: string;
  /** `5%` of the devices that got it, or a number of devices. */
  maxFailures?: string;
  /** Like `2h`. */
  waitTimeout?: string;
  pollInterval?: string;
  /** Only plans: reads from the server and changes nothing. */
  dryRun?: boolean;
}

/**
 * The options of a build that a rollout does not take: it makes several artifacts, and names them.
 */
const NOT_SHARED = [
  'artifactFilename',
  'alsoFull',
  'force',
  'reportHtml',
  'sbom',
  'strictBase',
  'cache',
] as const;
const shared = Object.fromEntries(
  Object.entries(BUILD_SCHEMA).filter(([name]) => !NOT_SHARED.some((one) => one === name)),
) as Omit<typeof BUILD_SCHEMA, (typeof NOT_SHARED)[number]>;
const ROLLOUT_SCHEMA: SchemaOf<RolloutOptions> = {
  ...shared,
  ...{ menderHost: maybeText, tokenFile: maybeText, deviceGroup: maybeText, phases: maybeText },
  ...{ maxFailures: maybeText, waitTimeout: maybeText, pollInterval: maybeText, devices: optional(texts) },
  ...{ allDevices: optional(flag), dryRun: optional(flag), minDevices: optional(amount) },
  fallback: optional(picklist(['full', 'none'], 'one of full, none')),
};

/**
 * Brings a release to devices of all versions, as the command `rollout` does. Returns the plan, and
 * how it ended; a dry run has no end. Failed devices are no error: look at `end.failed`. Throws a
 * UserError, such as DeploymentError if somebody else aborts a deployment.
 */
export async function rollout(
  options: RolloutOptions,
  run: RunOptions = {},
): Promise<{ plan: RolloutPlan; end?: RolloutEnd }> {
  checkOptions(options, ROLLOUT_SCHEMA);
  const context = contextOf(run);
  const flags: Flags = { cache: false, ...withPlatforms(options) };
  return withoutSecrets(async () => {
    const { plan, rollout: ready, api, dryRun } = await openRollout(flags, context);
    return dryRun ? { plan } : { plan, end: await runRollout(ready, { api, log: context.log }) };
  });
}
