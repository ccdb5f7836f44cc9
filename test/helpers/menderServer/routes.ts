import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { parseArtifact } from './artifact.ts';
import { listAttributes, searchDevices, showDevice } from './inventory.ts';
import { Refused, receiveUpload } from './multipart.ts';
import * as store from './state.ts';
import type { Deployment, Device, ServerState } from './state.ts';

export interface Call {
  state: ServerState;
  parameters: Record<string, string>;
  query: URLSearchParams;
  path: string;
  headers: IncomingMessage['headers'];
  /** Parsed JSON, where the request has it. */
  body: unknown;
  /** The raw request of an upload. */
  request: IncomingMessage;
  /** Of a device's call. */
  device: Device | undefined;
  /** Makes a presigned URL of the storage. */
  presign(kind: 'files' | 'uploads', id: string): string;
}

export interface Reply {
  status: number;
  json?: unknown;
  text?: string;
  type?: string;
  headers?: Record<string, string>;
}

type Handler = (call: Call) => Reply | Promise<Reply>;

const M1 = '/api/management/v1/deployments';
const M2 = '/api/management/v2/deployments';
const DEVICE = '/api/devices/v1/deployments/device/deployments';

export const handlers: Record<string, Handler> = {
  'POST /api/management/v1/useradm/auth/login': login,
  'GET /api/management/v1/useradm/users/me': (call) =>
    json({ id: 'a9a4ec0a-5d40-4d5a-a9a3-b6b7b8d8e1b5', email: call.state.options.user }),
  'GET /api/management/v1/inventory/groups': (call) => json(groupsOf(call.state)),
  'GET /api/management/v1/inventory/groups/{name}/devices': (call) => {
    const members = devicesIn(call.state, call.parameters['name']);
    if (members.length === 0) throw new Refused(404, 'group not found');
    return page(call, members);
  },
  'POST /api/management/v2/inventory/filters/search': searchDevices,
  'GET /api/management/v2/inventory/filters/attributes': listAttributes,
  'GET /api/management/v1/inventory/devices/{id}': showDevice,
  [`GET ${M1}/limits/storage`]: (call) =>
    json({ limit: call.state.options.storageLimit, usage: usageOf(call.state) }),

  [`POST ${M1}/artifacts`]: upload,
  [`GET ${M1}/artifacts`]: (call) => json([...call.state.artifacts.values()]),
  [`GET ${M1}/artifacts/list`]: (call) => page(call, [...call.state.artifacts.values()]),
  [`GET ${M2}/artifacts`]: listArtifacts,
  [`GET ${M1}/artifacts/{id}`]: showArtifact,
  [`PUT ${M1}/artifacts/{id}`]: updateArtifact,
  [`DELETE ${M1}/artifacts/{id}`]: async (call) => {
    await store.removeArtifact(call.state, call.parameters['id']!);
    return { status: 204 };
  },
  [`GET ${M1}/artifacts/{id}/download`]: (call) => {
    find(call.state.artifacts, call.parameters['id']!);
    return json({ uri: call.presign('files', call.parameters['id']!), expire: inMinutes(15) });
  },
  [`POST ${M1}/artifacts/directupload`]: requestDirectUpload,
  [`POST ${M1}/artifacts/directupload/{id}/complete`]: completeDirectUpload,

  [`GET ${M2}/deployments/releases`]: listReleases,
  [`GET ${M2}/deployments/releases/{release_name}`]: (call) =>
    json(releaseOf(call.state, call.parameters['release_name']!)),
  [`PATCH ${M2}/deployments/releases/{release_name}`]: changeRelease,
  [`PUT ${M2}/deployments/releases/{release_name}/tags`]: tagRelease,

  [`POST ${M1}/deployments`]: deploy,
  [`POST ${M1}/deployments/group/{name}`]: deployToGroup,
  [`GET ${M1}/deployments`]: listDeployments,
  [`GET ${M2}/deployments`]: listDeployments,
  [`POST ${M1}/deployments/statistics/list`]: (call) => {
    const { deployment_ids: ids } = call.body as { deployment_ids: string[] };
    if (ids.length === 0 || ids.length > 100) throw new Refused(400, 'deployment_ids: 1 to 100');
    const known = ids.flatMap((id) => call.state.deployments.get(id) ?? []);
    return json(known.map((one) => ({ id: one.id, stats: store.statisticsOf(one) })));
  },
  [`GET ${M1}/deployments/{id}`]: (call) => json(view(find(call.state.deployments, call.parameters['id']!))),
  [`PUT ${M1}/deployments/{deployment_id}/status`]: (call) => {
    store.abortDeployment(deploymentOf(call));
    return { status: 204 };
  },
  [`GET ${M1}/deployments/{deployment_id}/statistics`]: (call) =>
    json(store.statisticsOf(deploymentOf(call))),
  [`GET ${M1}/deployments/{deployment_id}/devices/list`]: listDevices,
  [`GET ${M1}/deployments/{id}/device_list`]: (call) =>
    json(find(call.state.deployments, call.parameters['id']!).targets),
  [`GET ${M1}/deployments/{deployment_id}/devices/{device_id}/log`]: (call) => {
    const log = deploymentOf(call).reports.get(call.parameters['device_id']!)?.log;
    if (log === undefined) throw new Refused(404, 'Resource not found');
    return { status: 200, text: log, type: 'text/plain' };
  },

  [`GET ${DEVICE}/next`]: nextDeployment,
  [`PUT ${DEVICE}/{id}/status`]: reportStatus,
  [`PUT ${DEVICE}/{id}/log`]: reportLog,
};

/** The call that only Enterprise servers have, and that the description leaves out. */
export function createEnterpriseDeployment(call: Call): Reply {
  if (!call.state.options.enterprise) throw new Refused(405, 'Method Not Allowed');
  const { name, artifact_name, devices, all_devices, filter_id, ...extras } = call.body as Record<
    string,
    unknown
  >;
  const all = [...call.state.devices.keys()];
  const targets = all_devices === true || filter_id !== undefined ? all : ((devices ?? []) as string[]);
  const wanted = { name: String(name), artifact_name: String(artifact_name), targets, groups: [] };
  return created(store.createDeployment(call.state, { ...wanted, extras }));
}

function json(value: unknown, headers: Record<string, string> = {}): Reply {
  return { status: 200, json: value, headers };
}

function find<T>(map: Map<string, T>, id: string): T {
  const found = map.get(id);
  if (found === undefined) throw new Refused(404, 'Resource not found');
  return found;
}

function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}

function login(call: Call): Reply {
  const { user, password, twoFactorCode } = call.state.options;
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  if (call.headers.authorization !== expected) throw new Refused(401, 'unauthorized');
  const given = (call.body as { token2fa?: string } | undefined)?.token2fa;
  if (twoFactorCode !== undefined && given === undefined) throw new Refused(401, '2fa needed');
  if (twoFactorCode !== undefined && given !== twoFactorCode) throw new Refused(401, 'invalid 2fa code');
  const token = `eyJhbGciOiJSUzI1NiJ9.${randomUUID()}.signature`;
  call.state.tokens.add(token);
  return { status: 200, text: token, type: 'application/jwt' };
}

function usageOf(state: ServerState): number {
  return [...state.artifacts.values()].reduce((sum, one) => sum + one.size, 0);
}

async function upload(call: Call): Promise<Reply> {
  const id = randomUUID();
  const file = store.fileOf(call.state, id);
  const { fields, size } = await receiveUpload(call.headers['content-type'] ?? '', call.request, file);
  if (fields['size'] !== undefined && Number(fields['size']) !== size) {
    throw new Refused(400, `artifact size ${size} does not match the size parameter ${fields['size']}`);
  }
  const { storageLimit } = call.state.options;
  if (storageLimit > 0 && usageOf(call.state) + size > storageLimit) {
    throw new Refused(413, 'Artifact file too large: storage limit exceeded');
  }
  const artifact = await parsed(file);
  store.addArtifact(call.state, artifact, { id, size, description: fields['description'] ?? '' });
  return { status: 201, headers: { location: `${M1}/artifacts/${id}` } };
}

async function parsed(file: string) {
  try {
    return await parseArtifact(file);
  } catch (error) {
    throw new Refused(
      400,
      `Cannot parse artifact file: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function listArtifacts(call: Call): Reply {
  const names = call.query.getAll('name');
  const prefixes = names.some((name) => name.endsWith('*'));
  if (prefixes && names.length > 1) throw new Refused(400, 'a prefix can not be combined with other names');
  const [description, type] = [call.query.get('description'), call.query.get('device_type')];
  const found = [...call.state.artifacts.values()]
    .filter((one) => names.length === 0 || names.some((name) => matches(name, one.name)))
    .filter((one) => description === null || matches(description, one.description))
    .filter((one) => type === null || one.device_types_compatible.some((each) => matches(type, each)))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return page(call, found);
}

function matches(pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

function page(call: Call, items: unknown[]): Reply {
  const number = Number(call.query.get('page') ?? 1);
  const size = Math.min(Number(call.query.get('per_page') ?? 20), call.state.options.pageSize);
  const link = (to: number, rel: string) => {
    const query = new URLSearchParams(call.query);
    query.set('page', String(to));
    query.set('per_page', String(size));
    return `<${call.path}?${query.toString()}>; rel="${rel}"`;
  };
  const links = [link(1, 'first')];
  if (number > 1) links.push(link(number - 1, 'prev'));
  if (number * size < items.length) links.push(link(number + 1, 'next'));
  return json(items.slice((number - 1) * size, number * size), { link: links.join(', ') });
}

function showArtifact(call: Call): Reply {
  const id = call.parameters['id']!;
  const upload = call.state.uploads.get(id);
  if (upload?.done === true && upload.looks-- > 0) throw new Refused(404, 'Resource not found');
  return json(find(call.state.artifacts, id));
}

function updateArtifact(call: Call): Reply {
  const artifact = find(call.state.artifacts, call.parameters['id']!);
  const used = [...call.state.deployments.values()].some((one) => one.artifact_name === artifact.name);
  if (used) throw new Refused(422, 'Artifact marked as unique is used in deployment');
  artifact.description = (call.body as { description?: string }).description ?? '';
  artifact.modified = new Date().toISOString();
  return { status: 204 };
}

function requestDirectUpload(call: Call): Reply {
  if (!call.state.options.directUpload) throw new Refused(405, 'Method Not Allowed');
  const id = randomUUID();
  call.state.uploads.set(id, { looks: call.state.options.processingLooks, done: false });
  const header = { 'x-storage-class': 'standard' };
  return json({ id, uri: call.presign('uploads', id), expire: inMinutes(15), header });
}

async function completeDirectUpload(call: Call): Promise<Reply> {
  const id = call.parameters['id']!;
  const pending = find(call.state.uploads, id);
  const file = store.fileOf(call.state, id);
  pending.done = true;
  try {
    const { size } = await stat(file);
    store.addArtifact(call.state, await parseArtifact(file), { id, size, description: '' });
  } catch {
    // Nobody is told: the artifact just never appears.
  }
  return { status: 202 };
}

function releaseOf(state: ServerState, name: string) {
  const { tags, notes } = find(state.releases, name);
  const artifacts = [...state.artifacts.values()].filter((one) => one.name === name);
  const modified = artifacts
    .map((one) => one.modified)
    .sort()
    .at(-1)!;
  return { name, modified, artifacts, tags, notes };
}

function listReleases(call: Call): Reply {
  const [name, tags] = [call.query.get('name'), call.query.getAll('tag')];
  const found = [...call.state.releases.keys()]
    .sort()
    .map((each) => releaseOf(call.state, each))
    .filter((one) => name === null || one.name.includes(name))
    .filter((one) => tags.length === 0 || tags.some((tag) => one.tags.includes(tag)));
  return page(call, found);
}

function changeRelease(call: Call): Reply {
  const release = call.state.releases.get(call.parameters['release_name']!);
  if (release === undefined) throw new Refused(400, 'no such release');
  release.notes = (call.body as { notes?: string }).notes ?? '';
  return { status: 204 };
}

function tagRelease(call: Call): Reply {
  const release = call.state.releases.get(call.parameters['release_name']!);
  const tags = call.body as string[];
  if (release === undefined) throw new Refused(400, 'no such release');
  if (tags.some((tag) => !/^[A-Za-z0-9_.-]+$/.test(tag))) throw new Refused(400, 'invalid tag');
  if (tags.length > 20) throw new Refused(400, 'too many tags');
  release.tags = [...new Set(tags)].sort();
  return { status: 204 };
}

interface NewDeployment {
  name: string;
  artifact_name: string;
  devices?: string[];
  all_devices?: boolean;
}

function created(deployment: Deployment): Reply {
  return { status: 201, headers: { location: `${M1}/deployments/${deployment.id}` } };
}

function deploy(call: Call): Reply {
  const { name, artifact_name, devices = [], all_devices = false } = call.body as NewDeployment;
  if (all_devices === devices.length > 0) throw new Refused(400, 'either devices or all_devices');
  const targets = all_devices ? devicesIn(call.state, undefined) : devices;
  return created(
    store.createDeployment(call.state, { name, artifact_name, targets, groups: [], extras: {} }),
  );
}

function deployToGroup(call: Call): Reply {
  const { name, artifact_name } = call.body as NewDeployment;
  const group = call.parameters['name']!;
  const targets = devicesIn(call.state, group);
  const wanted = { name, artifact_name, targets, groups: [group], extras: {} };
  return created(store.createDeployment(call.state, wanted));
}

/** Accepted devices of a group, or all. */
function devicesIn(state: ServerState, group: string | undefined): string[] {
  return [...state.devices.values()]
    .filter((one) => (one.status ?? 'accepted') === 'accepted')
    .filter((one) => group === undefined || one.group === group)
    .map((one) => one.id);
}

function groupsOf(state: ServerState): string[] {
  const names = [...state.devices.values()].flatMap((device) =>
    device.group === undefined ? [] : [device.group],
  );
  return [...new Set(names)].sort();
}

function deploymentOf(call: Call): Deployment {
  return find(call.state.deployments, call.parameters['deployment_id']!);
}

function view(deployment: Deployment) {
  const { id, name, artifact_name, created, groups, extras, finished, targets } = deployment;
  const facts = { id, name, artifact_name, created, groups, ...extras, device_count: targets.length };
  const statistics = { status: store.statisticsOf(deployment) };
  const status = store.statusOf(deployment);
  return { ...facts, status, statistics, type: 'software', ...(finished === undefined ? {} : { finished }) };
}

function listDeployments(call: Call): Reply {
  const [ids, names] = [call.query.getAll('id'), call.query.getAll('name')];
  const [status, sort] = [call.query.get('status'), call.query.get('sort') ?? 'desc'];
  const found = [...call.state.deployments.values()]
    .filter((one) => ids.length === 0 || ids.includes(one.id))
    .filter((one) => names.length === 0 || names.some((name) => matches(name, one.name)))
    .filter((one) => status === null || store.statusOf(one) === status);
  if (sort === 'desc') found.reverse();
  return page(call, found.map(view));
}

function listDevices(call: Call): Reply {
  const status = call.query.get('status');
  const { reports } = deploymentOf(call);
  const found = [...reports]
    .filter(([, report]) => status === null || report.status === status)
    .map(([id, { status: state, created, finished, log, substate }]) => {
      const optional = { ...(finished && { finished }), ...(substate && { substate }) };
      return { id, status: state, created, log: log !== undefined, ...optional };
    });
  return page(call, found);
}

function nextDeployment(call: Call): Reply {
  const device = call.device!;
  const waiting = store.nextFor(call.state, device.id);
  if (waiting === undefined) return { status: 204 };
  if (call.query.get('artifact_name') === waiting.artifact_name) {
    store.report(waiting, device.id, { status: 'already-installed' });
    return { status: 204 };
  }
  const artifact = store.chooseArtifact(call.state, waiting.artifact_name, device);
  if (artifact === undefined) {
    store.report(waiting, device.id, { status: 'noartifact' });
    return { status: 204 };
  }
  store.report(waiting, device.id, { artifact: artifact.id });
  const source = { uri: call.presign('files', artifact.id), expire: inMinutes(15) };
  const { name: artifact_name, device_types_compatible } = artifact;
  return json({
    id: waiting.id,
    artifact: { id: artifact.id, artifact_name, device_types_compatible, source },
  });
}

function reportStatus(call: Call): Reply {
  const deployment = find(call.state.deployments, call.parameters['id']!);
  if (deployment.aborted) throw new Refused(409, 'deployment aborted');
  const { status, substate } = call.body as { status: string; substate?: string };
  store.report(deployment, call.device!.id, { status, ...(substate !== undefined && { substate }) });
  return { status: 204 };
}

function reportLog(call: Call): Reply {
  const deployment = find(call.state.deployments, call.parameters['id']!);
  const { messages } = call.body as { messages: { timestamp: string; level: string; message: string }[] };
  const log = messages.map((one) => `${one.timestamp} ${one.level}: ${one.message}`).join('\n');
  store.report(deployment, call.device!.id, { log });
  return { status: 204 };
}
