import type { Resolution } from '../../destinations/resolve.ts';
import type { RunResult } from '../../destinations/states.ts';
import type { AccountReport } from '../../pipeline/destinations/types.ts';
import { countersText } from '../../server/outcome.ts';
import { formatTable } from '../terminal/format.ts';

/** The result of everything that one command brought to the destinations of a map; what `--report` writes. */
export interface RunsReport extends RunResult {
  runs: RunReport[];
}

/** What became of one artifact. */
export interface RunReport extends RunResult {
  artifact: {
    name: string;
    application: string;
    version: string;
    architecture: string | null;
    files: string[];
  };
  /** Null where no map knows the application. */
  map: MapReport | null;
  error?: string;
  accounts: AccountReport[];
}

export interface MapReport {
  /** The place of the entry. */
  path: string;
  name: string;
  workflow: string;
  cloud: string;
  /** Entries of other clouds that were skipped. */
  otherClouds: number;
  /** As the map has it; it has no effect. */
  billingCodeConfig: object;
}

/** The part of a report that tells of the map. */
export function mapReport({ path, otherClouds, entry }: Resolution): MapReport {
  const { name, workflow, cloud, billing_code_config: billingCodeConfig } = entry;
  return { path, name, workflow, cloud, otherClouds, billingCodeConfig };
}

/** A table of the destinations, and what was pruned. */
export function destinationText({ runs, success }: RunsReport): string {
  const rows = runs.flatMap(({ artifact, accounts }) =>
    accounts.flatMap((one) => accountRows(artifact.name, one)),
  );
  const pruned = runs.flatMap(({ accounts }) => accounts.flatMap(prunedLines));
  const head = ['ARTIFACT', 'ACCOUNT', 'HOST', 'DESTINATION', 'ARCHITECTURE', 'STATE', 'DEVICES', 'ERROR'];
  const count = rows.length === 1 ? '1 destination' : `${rows.length} destinations`;
  const end = `${count}: ${success ? 'success' : 'not all is well'}`;
  return [...(rows.length === 0 ? [] : [formatTable(head, rows)]), ...pruned, end].join('\n');
}

function accountRows(
  artifact: string,
  { account, host, error: uploadError, destinations }: AccountReport,
): string[][] {
  return destinations.map(({ destination, architecture, state, statistics, error }) => {
    const devices = statistics === undefined ? '' : countersText(statistics);
    return [
      artifact,
      account,
      host,
      destination,
      architecture ?? '',
      state,
      devices,
      error ?? uploadError ?? '',
    ];
  });
}

function prunedLines({ account, retention }: AccountReport): string[] {
  return retention.map(({ name, id, state, reason }) => {
    return `${account}: ${name} (${id}): ${state}${reason === undefined ? '' : `, ${reason}`}`;
  });
}
