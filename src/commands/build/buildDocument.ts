import type { UserError } from '../../errors.ts';
import type { RunsReport } from '../../pipeline/destinations/report.ts';
import type { LocalInstallation } from '../../pipeline/release/installOverSsh.ts';
import type { ErrorDocument, ErrorReport } from '../terminal/errorReport.ts';
import { errorReport } from '../terminal/errorReport.ts';
import type { BuildReport } from './buildReport.ts';
import type { DeliveryReport } from './deliver.ts';
import type { PlanReport } from './planReport.ts';

/** What `plan --json` and `build --json` print. */
export interface BuildDocument {
  /** `plan` foresees them, and `build` made them. */
  artifacts: (PlanReport | BuildReport)[];
  /** What the Mender server got; null if nothing was uploaded, and with a destination map. */
  delivery: DeliveryReport | null;
  /** What the destinations of a map got; null without a map. */
  destinations: RunsReport | null;
  /** The devices of `--to`; null without them. */
  devices: LocalInstallation[] | null;
  /** Why a deployment failed after the build; null if all went well. */
  error: ErrorReport | null;
}

/**
 * What stdout of `plan --json` and `build --json` may be. docs/build.schema.json is made from it.
 * @public
 */
export type BuildOutput = BuildDocument | ErrorDocument;

/** Where the artifacts of a run went. */
type Went = Partial<Pick<BuildDocument, 'delivery' | 'destinations' | 'devices'>>;

/** The result of a run. `failure`: of a deployment. */
export function buildDocument(
  artifacts: BuildDocument['artifacts'],
  { delivery = null, destinations = null, devices = null }: Went = {},
  failure?: UserError,
): BuildDocument {
  const error = failure === undefined ? null : errorReport(failure);
  return { artifacts, delivery, destinations, devices, error };
}
