import { UnsupportedError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiResponse } from './apiMessage.ts';
import type { NewDeployment, Target } from './deployments.ts';
import { reasonOf } from './failure.ts';
import { devicesInGroup } from './inventory.ts';

/** What only Mender Enterprise can do with a deployment; the values are the API's own. */
export interface EnterpriseOptions {
  /**
   * `[{ batch_size: 10 }, { start_ts: '2026-01-01T00:00:00Z' }]`, percentages and ISO 8601 times.
   */
  phases?: readonly unknown[] | undefined;
  /** How often a device tries again after a failure. */
  retries?: number | undefined;
  /** Id of a saved device filter, in place of the devices. */
  filter?: string | undefined;
  /** https://docs.mender.io/server-integration/update-control */
  updateControlMap?: Record<string, unknown> | undefined;
}

/** True if any of them is wanted. */
export function needsEnterprise(options: EnterpriseOptions): boolean {
  return Object.values(options).some((value) => value !== undefined);
}

/**
 * Asks for a deployment through the call of Enterprise servers; 400, 409 and 422 are for the caller
 * to judge. Throws UnsupportedError where the server does not have the call.
 */
export async function postEnterpriseDeployment(
  api: Api,
  wanted: NewDeployment,
  { phases, retries, filter, updateControlMap }: EnterpriseOptions,
  doing: string,
): Promise<ApiResponse> {
  const answer = await api.call({
    method: 'POST',
    path: '/api/management/v2/deployments/deployments',
    json: {
      name: wanted.name,
      artifact_name: wanted.artifactName,
      force_installation: wanted.force,
      ...(filter === undefined ? await devicesFor(api, wanted.target) : { filter_id: filter }),
      ...(phases === undefined ? {} : { phases }),
      ...(retries === undefined ? {} : { retries }),
      ...(updateControlMap === undefined ? {} : { update_control_map: updateControlMap }),
    },
    doing,
    accept: [400, 404, 405, 409, 422, 501],
  });
  if (![404, 405, 501].includes(answer.status)) return answer;
  throw new UnsupportedError(
    `${doing}: phases, retries, filters and update control maps need Mender Enterprise, and ${api.host} does not offer them: ${reasonOf(answer)}`,
    { hint: 'leave out --phases, --retries, --filter and --update-control-map' },
  );
}

async function devicesFor(api: Api, target: Target): Promise<Record<string, unknown>> {
  if (target.kind === 'all') return { all_devices: true };
  if (target.kind === 'devices') return { devices: target.devices };
  return { devices: await devicesInGroup(api, target.group) };
}
