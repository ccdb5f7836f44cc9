import { amountOf } from '../../io/amounts.ts';
import type { RunsReport } from '../../pipeline/destinations/report.ts';
import type { AccountReport } from '../../pipeline/destinations/types.ts';
import { countersText } from '../../server/outcome.ts';
import { formatTable } from '../terminal/format.ts';

/** A table of the destinations, and what was pruned. */
export function destinationText({ runs, success }: RunsReport): string {
  const rows = runs.flatMap(({ artifact, accounts }) =>
    accounts.flatMap((one) => accountRows(artifact.name, one)),
  );
  const pruned = runs.flatMap(({ accounts }) => accounts.flatMap(prunedLines));
  const head = ['ARTIFACT', 'ACCOUNT', 'HOST', 'DESTINATION', 'ARCHITECTURE', 'STATE', 'DEVICES', 'ERROR'];
  const count = amountOf(rows.length, 'destination');
  const end = `${count}: ${success ? 'success' : 'not all succeeded'}`;
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
