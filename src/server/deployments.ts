import { NotFoundError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiResponse } from './apiMessage.ts';
import { valueOf } from './api.ts';
import { itemsOf, listOf } from './pages.ts';

/** A deployment as the server tells of it; the names are the API's own. */
export interface Deployment {
  id: string;
  name: string;
  artifact_name: string;
  /** ISO 8601, as `finished`. */
  created: string;
  finished?: string;
  status: 'scheduled' | 'pending' | 'inprogress' | 'finished';
  device_count: number;
  groups?: string[];
  /** Some servers leave it out. */
  statistics?: { status?: Statistics };
}

/** How many devices are in each state: success, failure, pending, downloading, installing, ... */
export type Statistics = Record<string, number>;

/** What one device made of a deployment. It appears once the device has asked the server for updates. */
export interface DeviceDeployment {
  id: string;
  status: string;
  device_type?: string;
  created?: string;
  finished?: string;
  substate?: string;
  /** Whether the device sent a log. */
  log: boolean;
}

/** Which devices a deployment is for. */
export type Target =
  { kind: 'group'; group: string } | { kind: 'devices'; devices: readonly string[] } | { kind: 'all' };

export interface NewDeployment {
  name: string;
  artifactName: string;
  target: Target;
  /** Install even where it is installed already. */
  force: boolean;
}

export interface DeploymentQuery {
  name?: string | undefined;
  status?: string | undefined;
}

const V1 = '/api/management/v1/deployments/deployments';
const V2 = '/api/management/v2/deployments/deployments';

function at(id: string): string {
  return `${V1}/${encodeURIComponent(id)}`;
}

/** Asks for a deployment; 400, 409 and 422 are for the caller to judge. */
export async function postDeployment(api: Api, wanted: NewDeployment, doing: string): Promise<ApiResponse> {
  const { name, artifactName, target, force } = wanted;
  const common = { name, artifact_name: artifactName, force_installation: force };
  const request = { method: 'POST', doing, accept: [400, 409, 422] } as const;
  if (target.kind === 'group') {
    return api.call({ ...request, path: `${V1}/group/${encodeURIComponent(target.group)}`, json: common });
  }
  const devices = target.kind === 'all' ? { all_devices: true } : { devices: target.devices };
  return api.call({ ...request, path: V1, json: { ...common, ...devices } });
}

/** The deployments that fit, the newest first; every page of them. */
export async function listDeployments(api: Api, query: DeploymentQuery = {}): Promise<Deployment[]> {
  const doing = 'listing deployments';
  try {
    return await listOf<Deployment>(api, { path: V2, query: { ...query, sort: 'desc' }, doing });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // Servers of before October 2024 have the older list only, which can't look for a name.
    const { name, status } = query;
    const all = await listOf<Deployment>(api, { path: V1, query: { status, sort: 'desc' }, doing });
    return all.filter((deployment) => name === undefined || deployment.name === name);
  }
}

/** Throws NotFoundError for an unknown id. */
export async function getDeployment(api: Api, id: string): Promise<Deployment> {
  const doing = `reading deployment ${id}`;
  return valueOf(await api.call({ method: 'GET', path: at(id), doing }), doing) as Deployment;
}

/** Stops a deployment; false if it was finished already. */
export async function abortDeployment(api: Api, id: string): Promise<boolean> {
  const request = { method: 'PUT', path: `${at(id)}/status`, json: { status: 'aborted' } } as const;
  const answer = await api.call({ ...request, doing: `aborting deployment ${id}`, accept: [422] });
  return answer.status !== 422;
}

/** How many devices are in each state. */
export async function statisticsOf(api: Api, id: string): Promise<Statistics> {
  const doing = `reading the statistics of deployment ${id}`;
  return valueOf(await api.call({ method: 'GET', path: `${at(id)}/statistics`, doing }), doing) as Statistics;
}

/** The devices that have asked for updates since the deployment began. */
export async function devicesOf(api: Api, id: string): Promise<DeviceDeployment[]> {
  return listOf<DeviceDeployment>(api, {
    path: `${at(id)}/devices/list`,
    doing: `listing the devices of deployment ${id}`,
  });
}

/** Ids of all the devices that a deployment is for. */
export async function targetsOf(api: Api, id: string): Promise<string[]> {
  const doing = `listing the devices of deployment ${id}`;
  return itemsOf<string>(await api.call({ method: 'GET', path: `${at(id)}/device_list`, doing }), doing);
}

/** What a device logged, or undefined if it sent nothing. */
export async function deviceLog(api: Api, id: string, device: string): Promise<string | undefined> {
  const path = `${at(id)}/devices/${encodeURIComponent(device)}/log`;
  const doing = `reading the log of device ${device}`;
  const answer = await api.call({ method: 'GET', path, doing, accept: [404] });
  return answer.status === 404 ? undefined : answer.text;
}

/** Names of all device groups. */
export async function listGroups(api: Api): Promise<string[]> {
  const doing = 'listing device groups';
  const path = '/api/management/v1/inventory/groups';
  return itemsOf<string>(await api.call({ method: 'GET', path, doing }), doing);
}

/** Ids of the devices in a group. */
export async function devicesInGroup(api: Api, group: string): Promise<string[]> {
  const path = `/api/management/v1/inventory/groups/${encodeURIComponent(group)}/devices`;
  return listOf<string>(api, { path, doing: `listing the devices of group ${group}` });
}
