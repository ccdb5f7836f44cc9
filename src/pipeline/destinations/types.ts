import type { Cache } from '../../cache/cache.ts';
import type { PlannedAccount } from '../../destinations/plan.ts';
import type { State } from '../../destinations/states.ts';
import type { UserError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import type { Api } from '../../server/api.ts';
import type { Statistics } from '../../server/deployments.ts';
import type { DestinedArtifact } from './artifact.ts';
import type { Uploaded } from './upload.ts';
import type { Pruned } from '../release/retention.ts';

export interface DestineRequest {
  artifact: DestinedArtifact;
  accounts: readonly (PlannedAccount & { api: Api })[];
  /** Straight to the servers' storage, where they offer that. */
  direct: boolean;
  deploymentName?: string | undefined;
  /** `no`: the artifacts are uploaded, and that is all; `created`: nobody waits for the devices. */
  deploy: 'no' | 'created' | 'finished';
  timeoutMs: number;
  intervalMs: number;
  abortOnFailure: boolean;
}

export interface AccountReport {
  account: string;
  host: string;
  provider: string | null;
  state: Extract<State, 'UPLOADED' | 'UPLOADFAILED'>;
  uploads: Uploaded[];
  error?: string;
  destinations: DestinationReport[];
  /** Artifacts that the map's retention rules let go. */
  retention: Pruned[];
}

export interface DestinationReport {
  destination: string;
  architecture: string | null;
  /** `PENDING`: the deployment goes on without us. */
  state: Extract<State, 'PENDING' | 'UPLOADED' | 'DEPLOYED' | 'UPLOADFAILED' | 'NOTDEPLOYED'>;
  deployment?: string;
  joined?: boolean;
  statistics?: Statistics;
  error?: string;
}

export interface DestineContext {
  /** Where uploads are noted. */
  cache: Pick<Cache, 'root'>;
  log: Log;
  progress: Progress;
  signal?: AbortSignal | undefined;
  /** Milliseconds before a broken upload is begun again. */
  pauseMs?: number;
}

export interface Destined {
  accounts: AccountReport[];
  /** In the order of the accounts. */
  failures: UserError[];
}
