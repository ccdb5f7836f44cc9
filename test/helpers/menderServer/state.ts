import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ParsedArtifact } from './artifact.ts';
import { DeviceMap } from './inventory.ts';
import { Refused } from './multipart.ts';

export interface StoredArtifact extends ParsedArtifact {
  id: string;
  description: string;
  /** Bytes of the whole file. */
  size: number;
  modified: string;
}

export interface Device {
  id: string;
  type: string;
  group?: string;
  /** What is installed; an Enterprise server chooses by it. */
  provides: Record<string, string>;
  /** What the inventory shows of it, where that is not what is installed. */
  reported?: Record<string, string | string[]>;
  /** `accepted` unless it says otherwise. */
  status?: string;
  /** ISO 8601: last seen, and inventory last written. */
  checkIn?: string;
  updated?: string;
}

/** What a device has said about a deployment. */
export interface Report {
  status: string;
  created: string;
  finished?: string;
  artifact?: string;
  substate?: string;
  log?: string;
}

export interface Deployment {
  id: string;
  name: string;
  artifact_name: string;
  created: string;
  targets: string[];
  groups: string[];
  aborted: boolean;
  finished?: string;
  reports: Map<string, Report>;
  /** What only Enterprise servers take. */
  extras: Record<string, unknown>;
}

export interface ServerOptions {
  enterprise?: boolean;
  directUpload?: boolean;
  user?: string;
  password?: string;
  /** The code that login asks for, where two factors are on. */
  twoFactorCode?: string;
  /** Bytes; 0 means no limit. */
  storageLimit?: number;
  devices?: Device[];
  /** Largest page that is given, so that few items already make several pages. */
  pageSize?: number;
  /** How many looks at an artifact that came by direct upload find nothing yet. */
  processingLooks?: number;
}

/** Everything that the stand-in knows. */
export interface ServerState {
  options: Required<Omit<ServerOptions, 'twoFactorCode'>> & { twoFactorCode: string | undefined };
  tokens: Set<string>;
  artifacts: Map<string, StoredArtifact>;
  deployments: Map<string, Deployment>;
  devices: DeviceMap;
  releases: Map<string, { tags: string[]; notes: string }>;
  /** Direct uploads that are not complete, and how many looks they stay hidden. */
  uploads: Map<string, { looks: number; done: boolean }>;
  folder: string;
}

const FINAL = new Set(['success', 'failure', 'noartifact', 'already-installed', 'aborted', 'decommissioned']);
const COUNTERS = (
  'success pending downloading rebooting installing failure noartifact already-installed aborted ' +
  'pause_before_installing pause_before_rebooting pause_before_committing'
).split(' ');

export function newState(options: ServerOptions): ServerState {
  return {
    options: {
      enterprise: false,
      directUpload: false,
      user: 'user@example.com',
      password: 'correct horse',
      twoFactorCode: undefined,
      storageLimit: 0,
      devices: [],
      pageSize: 500,
      processingLooks: 1,
      ...options,
    },
    tokens: new Set(),
    artifacts: new Map(),
    deployments: new Map(),
    devices: new DeviceMap(options.devices ?? []),
    releases: new Map(),
    uploads: new Map(),
    folder: mkdtempSync(join(tmpdir(), 'mender-server-')),
  };
}

export function fileOf(state: ServerState, id: string): string {
  return join(state.folder, id);
}

/** Adds an artifact whose file is already in place, unless its name and depends are taken. */
export function addArtifact(
  state: ServerState,
  artifact: ParsedArtifact,
  facts: { id: string; size: number; description: string },
): StoredArtifact {
  const keys = new Set(expanded(artifact));
  const conflicting = [...state.artifacts.values()].find((one) => expanded(one).some((key) => keys.has(key)));
  if (conflicting !== undefined) {
    throw new Refused(409, 'an artifact with the same name and depends already exists', {
      conflict: { name: conflicting.name, depends: conflicting.artifact_depends },
    });
  }
  const stored = { ...artifact, ...facts, modified: new Date().toISOString() };
  state.artifacts.set(stored.id, stored);
  if (!state.releases.has(stored.name)) state.releases.set(stored.name, { tags: [], notes: '' });
  return stored;
}

/** One key for every combination of the values that the artifact depends on. */
function expanded(artifact: ParsedArtifact): string[] {
  const entries = Object.entries(artifact.artifact_depends).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.reduce<string[]>(
    (keys, [name, values]) => keys.flatMap((key) => values.map((value) => `${key}\n${name}:${value}`)),
    [artifact.name],
  );
}

export async function removeArtifact(state: ServerState, id: string): Promise<void> {
  const artifact = state.artifacts.get(id);
  if (artifact === undefined) throw new Refused(404, 'Resource not found');
  const used = [...state.deployments.values()].some(
    (one) => one.artifact_name === artifact.name && statusOf(one) !== 'finished',
  );
  if (used) throw new Refused(409, 'Artifact is used in active deployment');
  state.artifacts.delete(id);
  await rm(fileOf(state, id), { force: true });
  if (![...state.artifacts.values()].some((one) => one.name === artifact.name))
    state.releases.delete(artifact.name);
}

export function statusOf(deployment: Deployment): 'pending' | 'inprogress' | 'finished' {
  if (deployment.finished !== undefined) return 'finished';
  return deployment.reports.size === 0 ? 'pending' : 'inprogress';
}

export function statisticsOf(deployment: Deployment): Record<string, number> {
  const counters = Object.fromEntries(COUNTERS.map((name) => [name, 0]));
  for (const target of deployment.targets) {
    const status = deployment.reports.get(target)?.status ?? (deployment.aborted ? 'aborted' : 'pending');
    counters[status] = (counters[status] ?? 0) + 1;
  }
  return counters;
}

export function createDeployment(
  state: ServerState,
  wanted: Pick<Deployment, 'name' | 'artifact_name' | 'targets' | 'groups' | 'extras'>,
): Deployment {
  if (wanted.name === '' || wanted.artifact_name === '') throw new Refused(400, 'name: cannot be blank');
  if (![...state.artifacts.values()].some((one) => one.name === wanted.artifact_name)) {
    throw new Refused(422, 'No artifact for the deployment');
  }
  if (wanted.targets.length === 0) throw new Refused(400, 'No devices for the deployment');
  const twin = [...state.deployments.values()].some(
    (one) => statusOf(one) !== 'finished' && identity(one) === identity(wanted),
  );
  if (twin) throw new Refused(409, 'Active deployment with given parameters already exists');
  const created = { created: new Date().toISOString(), aborted: false, reports: new Map<string, Report>() };
  const deployment: Deployment = { id: randomUUID(), ...created, ...wanted };
  state.deployments.set(deployment.id, deployment);
  return deployment;
}

function identity(deployment: Pick<Deployment, 'name' | 'artifact_name' | 'targets'>): string {
  // The same devices in another order are no conflict.
  return JSON.stringify([deployment.name, deployment.artifact_name, deployment.targets]);
}

export function abortDeployment(deployment: Deployment): void {
  if (statusOf(deployment) === 'finished') throw new Refused(422, 'Deployment already finished');
  deployment.aborted = true;
  deployment.finished = new Date().toISOString();
  for (const report of deployment.reports.values()) {
    if (!FINAL.has(report.status)) report.status = 'aborted';
  }
}

/**
 * Notes what a device says; the deployment is finished when all its devices have come to an end.
 */
export function report(deployment: Deployment, device: string, change: Partial<Report>): void {
  const now = new Date().toISOString();
  const known = deployment.reports.get(device) ?? { status: 'pending', created: now };
  const next: Report = { ...known, ...change };
  if (FINAL.has(next.status)) next.finished ??= now;
  deployment.reports.set(device, next);
  const open = deployment.targets.some((one) => !FINAL.has(deployment.reports.get(one)?.status ?? 'pending'));
  if (!open) deployment.finished ??= now;
}

/**
 * The deployment that a device continues, else the oldest active one that was created after the
 * last one that it finished. It never gets an older one that it missed.
 */
export function nextFor(state: ServerState, device: string): Deployment | undefined {
  const own = [...state.deployments.values()].filter((one) => one.targets.includes(device));
  const isActive = (one: Deployment): boolean =>
    statusOf(one) !== 'finished' && !one.reports.get(device)?.finished;
  const continued = own.find((one) => isActive(one) && one.reports.has(device));
  const last = own.findLastIndex((one) => one.reports.get(device)?.finished !== undefined);
  return continued ?? own.slice(last + 1).find(isActive);
}

/**
 * The artifact that a device is given: by device type and, of those, the smallest; an Enterprise
 * server looks at the other depends first.
 */
export function chooseArtifact(state: ServerState, name: string, device: Device): StoredArtifact | undefined {
  return [...state.artifacts.values()]
    .filter((one) => one.name === name && one.device_types_compatible.includes(device.type))
    .filter((one) => !state.options.enterprise || dependsAreMet(one, device))
    .sort((a, b) => a.size - b.size)[0];
}

export function dependsAreMet(artifact: StoredArtifact, device: Device): boolean {
  const facts: Record<string, string> = { ...device.provides, device_type: device.type };
  return Object.entries(artifact.artifact_depends).every(([key, values]) =>
    values.includes(facts[key] ?? ''),
  );
}
