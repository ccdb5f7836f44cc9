import type { PlannedAccount } from '../../destinations/plan.ts';
import type { MapChoice, Maps, Resolution } from '../../destinations/resolve.ts';
import type { DeploySettings } from '../../destinations/settings.ts';
import type { State } from '../../destinations/states.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import type { NotFoundError, UserError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import type { Api } from '../../server/api.ts';
import type { Statistics } from '../../server/deployments.ts';
import type { Pruned } from '../release/retention.ts';
import type { Accounts } from './accounts.ts';
import type { ArtifactSet } from './artifact.ts';
import type { Uploaded } from './upload.ts';

/** What a user can say of a deployment by a map. */
export interface MapDeployment {
  choice: MapChoice;
  /** These win over those of the map. */
  settings: DeploySettings;
  /** True to upload straight to the servers' storage, if they offer that. */
  direct: boolean;
  deploymentName?: string | undefined;
  /** `no`: only upload; `created`: do not wait for the devices. */
  deploy: 'no' | 'created' | 'finished';
  timeoutMs: number;
  intervalMs: number;
  abortOnFailure: boolean;
  /** True if it is a success that no destination matches. */
  allowEmpty: boolean;
  /** Absolute path of the file that gets the report as JSON. */
  report?: string | undefined;
}

/** What deployments by a map use: the maps and accounts, opened once, and the effects. */
export interface MapContext extends RunEffects {
  maps: Maps;
  accounts: Accounts;
}

/** What uploads and deployments to accounts that are already found use. */
export interface RunEffects {
  /** The folder of upload notes. */
  notes: string;
  log: Log;
  progress: Progress;
  signal?: AbortSignal | undefined;
  /** Milliseconds before a broken upload starts again. */
  pauseMs?: number;
}

/** An account of a map with its server. */
export type TargetAccount = PlannedAccount & {
  api: Api;
  /** The rules of all destinations of the account, also of other architectures and workflows. */
  retention: RetentionRule[];
};

/** Where software goes: the entry of a map, and its accounts. */
export interface Targets {
  resolution: Resolution;
  accounts: TargetAccount[];
}

/** An artifact, and where it goes. */
export interface PlannedRun {
  artifact: ArtifactSet;
  /** The error if no map knows the application. */
  targets: Targets | NotFoundError;
}

/** The part of a run that concerns one account. */
export interface AccountRun {
  artifact: ArtifactSet;
  account: TargetAccount;
  request: MapDeployment;
  effects: RunEffects;
  /** What went wrong so far. */
  failures: UserError[];
}

export interface AccountReport {
  account: string;
  host: string;
  provider: string | null;
  state: Extract<State, 'UPLOADED' | 'UPLOADFAILED'>;
  uploads: Uploaded[];
  error?: string;
  destinations: DestinationReport[];
  /** Artifacts that the map's retention rules remove. */
  retention: Pruned[];
}

export interface DestinationReport {
  destination: string;
  architecture: string | null;
  /** `PENDING`: the deployment is still running. */
  state: Extract<State, 'PENDING' | 'UPLOADED' | 'DEPLOYED' | 'KEPT' | 'UPLOADFAILED' | 'NOTDEPLOYED'>;
  deployment?: string;
  joined?: boolean;
  statistics?: Statistics;
  error?: string;
}

/** What happened to one artifact on all its accounts. */
export interface AccountResults {
  accounts: AccountReport[];
  /** In the order of the accounts. */
  failures: UserError[];
}
