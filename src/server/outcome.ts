import { DeploymentError } from '../errors.ts';
import type { DeviceDeployment, Statistics } from './deployments.ts';

/** What is known of a deployment at the end of a wait. */
export interface Watched {
  id: string;
  finished: boolean;
  /** Devices that the deployment is for. */
  deviceCount: number;
  statistics: Statistics;
  devices: readonly DeviceDeployment[];
  /** Whether the failures made us abort it. */
  aborted: boolean;
  /** Seconds waited. */
  waited: number;
}

/** How a deployment ended for those who waited. */
export type Outcome =
  | { kind: 'success'; note?: string }
  | {
      kind: 'failed' | 'aborted' | 'nothing-installed' | 'never-started' | 'timed-out';
      message: string;
      hint: string;
    };

/**
 * Yes or no. Only a finished deployment that failed on no device and was not aborted is a success,
 * if it succeeded on at least one device or if all devices had the artifact already. One whose
 * devices had no artifact that fits is finished too.
 */
export function outcomeOf(watched: Watched): Outcome {
  const { id, finished, statistics } = watched;
  const failures = statistics['failure'] ?? 0;
  if (failures > 0 && (finished || watched.aborted)) return failed(watched, failures);
  if (!finished) return hasStarted(watched) ? timedOut(watched) : neverStarted(watched);
  if ((statistics['aborted'] ?? 0) > 0) {
    return {
      kind: 'aborted',
      message: `deployment ${id} was aborted: ${countersText(statistics)}`,
      hint: 'ask who aborted it, then deploy again',
    };
  }
  if ((statistics['success'] ?? 0) === 0 && !haveAll(statistics)) return nothingInstalled(watched);
  const rest = leftOut(statistics);
  return rest === '' ? { kind: 'success' } : { kind: 'success', note: rest };
}

/** True if every device that could install the artifact has it already. */
function haveAll(statistics: Statistics): boolean {
  return (statistics['already-installed'] ?? 0) > 0 && (statistics['noartifact'] ?? 0) === 0;
}

/** The error of an outcome other than success. */
export function deploymentError(outcome: Outcome): DeploymentError | undefined {
  return outcome.kind === 'success'
    ? undefined
    : new DeploymentError(outcome.message, { hint: outcome.hint });
}

/**
 * `2 success, 1 failure`, without the zeros; the order is the server's way through a deployment.
 */
export function countersText(statistics: Statistics): string {
  const known = ORDER.filter((name) => (statistics[name] ?? 0) > 0);
  const unknown = Object.keys(statistics).filter(
    (name) => !ORDER.includes(name) && (statistics[name] ?? 0) > 0,
  );
  const text = [...known, ...unknown.sort()].map((name) => `${statistics[name] ?? 0} ${name}`).join(', ');
  return text === '' ? 'no devices yet' : text;
}

const ORDER = [
  'pending',
  'downloading',
  'pause_before_installing',
  'installing',
  'pause_before_rebooting',
  'rebooting',
  'pause_before_committing',
  'success',
  'already-installed',
  'noartifact',
  'failure',
  'aborted',
  'decommissioned',
];

function failed({ id, deviceCount, statistics, aborted }: Watched, failures: number): Outcome {
  const end = aborted ? ', and was aborted for that' : '';
  return {
    kind: 'failed',
    message: `deployment ${id} failed on ${failures} of ${deviceCount} devices${end}: ${countersText(statistics)}`,
    hint: `read the devices' logs: mender-docker-delta deployments show ${id}`,
  };
}

function hasStarted({ statistics, devices }: Watched): boolean {
  const waiting = Object.entries(statistics).every(([name, count]) => name === 'pending' || count === 0);
  return !waiting || devices.some((device) => device.status !== 'pending');
}

function timedOut({ id, statistics, waited }: Watched): Outcome {
  return {
    kind: 'timed-out',
    message: `deployment ${id} did not finish within ${waited} s: ${countersText(statistics)}`,
    hint: `it is still running: mender-docker-delta deployments watch ${id} waits for it, mender-docker-delta deployments abort ${id} stops it`,
  };
}

function neverStarted({ id, deviceCount, waited }: Watched): Outcome {
  return {
    kind: 'never-started',
    message: `deployment ${id} did not start within ${waited} s: none of its ${deviceCount} devices has asked for updates`,
    hint: `devices poll every 30 minutes by default: raise --wait-timeout, or wait with mender-docker-delta deployments watch ${id}`,
  };
}

function nothingInstalled({ id, deviceCount, statistics }: Watched): Outcome {
  const reasons = [
    (statistics['noartifact'] ?? 0) > 0
      ? 'for noartifact, compare device types and versions: mender-docker-delta fleet status APPLICATION shows them, and mender-docker-delta rollout brings each version what it needs'
      : '',
    (statistics['already-installed'] ?? 0) > 0
      ? 'for already-installed, --force-installation installs it again'
      : '',
  ].filter((reason) => reason !== '');
  return {
    kind: 'nothing-installed',
    message: `deployment ${id} finished, but none of its ${deviceCount} devices installed anything: ${countersText(statistics)}`,
    hint: reasons.join('; ') || 'check that its devices still exist',
  };
}

function leftOut(statistics: Statistics): string {
  const names = ['already-installed', 'noartifact', 'decommissioned'];
  const rest = names.filter((name) => (statistics[name] ?? 0) > 0);
  return rest.map((name) => `${statistics[name] ?? 0} ${name}`).join(', ');
}
