import { array, looseObject, optional, unknown } from 'valibot';
import { watchTimes } from '../commands/options/watch.ts';
import type { DeployRequest } from '../pipeline/release/deploy.ts';
import type { WatchRequest } from '../pipeline/release/watch.ts';
import type { Target } from '../server/deployments.ts';
import type { EnterpriseOptions } from '../server/enterprise.ts';
import { checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { amount, flag, text } from './schemas.ts';

/** What to deploy, and where. */
export interface DeployOptions {
  /** The name of an artifact on the server. */
  artifactName: string;
  /** A group, devices by their ids, or all accepted devices. */
  target: Target;
  /** The name of the deployment. The default is the name of the artifact. */
  name?: string;
  /** True: also install where the artifact is installed already. The default is false. */
  force?: boolean;
  /** Options that only Mender Enterprise servers have. */
  enterprise?: EnterpriseOptions;
}

/** How to wait for a deployment. */
export interface WatchOptions {
  /** The id of the deployment. */
  id: string;
  /** Milliseconds until the wait ends; the deployment keeps running. The default is one hour. */
  timeoutMs?: number;
  /** Milliseconds between requests for the state. The default is ten seconds. */
  intervalMs?: number;
  /** True: abort the deployment at the first failure. The default is false. */
  abortOnFailure?: boolean;
}

const DEPLOY_SCHEMA: SchemaOf<DeployOptions> = {
  name: optional(text),
  artifactName: text,
  target: looseObject({}, 'an object'),
  force: optional(flag),
  enterprise: optional(looseObject({ phases: optional(array(unknown(), 'an array')) }, 'an object')),
};

const WATCH_SCHEMA: SchemaOf<WatchOptions> = {
  id: text,
  timeoutMs: optional(amount),
  intervalMs: optional(amount),
  abortOnFailure: optional(flag),
};

/** Fills in what is missing, as the command `deploy` does. Throws UsageError for a wrong option. */
export function deployRequestOf(options: DeployOptions): DeployRequest {
  checkOptions(options, DEPLOY_SCHEMA);
  const { artifactName, target, name = artifactName, force = false, enterprise = {} } = options;
  return { artifactName, target, name, force, enterprise };
}

/** Fills in what is missing, as the command `deploy` does. Throws UsageError for a wrong option. */
export function watchRequestOf(options: WatchOptions): WatchRequest {
  checkOptions(options, WATCH_SCHEMA);
  const times = watchTimes({});
  const { id, timeoutMs = times.timeoutMs, intervalMs = times.intervalMs, abortOnFailure = false } = options;
  return { id, timeoutMs, intervalMs, abortOnFailure };
}
