import { amountOf } from '../../io/amounts.ts';
import { resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Entry } from '../../destinations/model.ts';
import { mapOf, writeMap } from '../../destinations/writeMap.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import { openServerMapsOf } from '../open/mapContext.ts';
import type { DestinationsFlags } from './flags.ts';
import { OPTIONS, POSITIONALS } from './flags.ts';
import { runLint } from './lint.ts';
import { runResolve } from './resolve.ts';
import { formatList } from '../terminal/format.ts';

const KINDS = ['policy', 'mapping', 'destination'] as const;

/** `destinations resolve|lint|show|policies|snapshot` */
export const destinationsCommand = defineCommand({
  usage: 'destinations <action> [what..]',
  describe: 'Look up where an application goes, check maps and save them',
  examples: [
    ['$0 destinations resolve gateway 1.2 --repo-file map.yaml', 'where version 1.2 of gateway goes'],
    ['$0 destinations resolve gateway-1.2.mender --starmap-url URL', 'where this artifact goes'],
    ['$0 destinations lint map.yaml', 'check a map'],
    ['$0 destinations snapshot --starmap-url URL -o map.yaml', 'a map for --offline --repo-file'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    await RUN[flags.action](flags, context);
  },
});

const RUN: Record<
  DestinationsFlags['action'],
  (flags: DestinationsFlags, context: Context) => Promise<void>
> = {
  resolve: runResolve,
  lint: runLint,
  show: runShow,
  policies: runPolicies,
  snapshot: runSnapshot,
};

async function runShow(flags: DestinationsFlags, context: Context): Promise<void> {
  const [kind, id, ...more] = flags.what ?? [];
  const known = KINDS.find((one) => one === kind);
  if (known === undefined || id === undefined || more.length > 0) {
    throw new UsageError(`destinations show: expected ${KINDS.join(', ')} and an id`, {
      hint: 'mender-docker-delta destinations policies lists the policies',
    });
  }
  const { starmap, server } = await openServerMapsOf(flags, context);
  const found = await starmap[known](id);
  if (found === undefined) throw new NotFoundError(`${server} knows no ${known} ${id}`);
  context.report(found, stringify(found).trimEnd());
}

async function runPolicies(flags: DestinationsFlags, context: Context): Promise<void> {
  if ((flags.what ?? []).length > 0) throw new UsageError('destinations policies: expected no words');
  const { starmap } = await openServerMapsOf(flags, context);
  const policies = await starmap.policies();
  const rows = policies.map(({ id, name, workflow, mappings }) => {
    const accounts = new Set(mappings.map((mapping) => mapping.marketplace_account));
    return [id ?? '', name, workflow, [...accounts].join(', ')];
  });
  context.report(policies, formatList('no policies', ['ID', 'NAME', 'WORKFLOW', 'ACCOUNTS'], rows));
}

/** Writes a map with the entries of every application that has a policy. */
async function runSnapshot(flags: DestinationsFlags, context: Context): Promise<void> {
  const { output, version, what = [] } = flags;
  if (what.length > 0) throw new UsageError(`destinations snapshot: unexpected ${what.join(' ')}`);
  const { starmap } = await openServerMapsOf(flags, context);
  const names = [...new Set((await starmap.policies()).map(({ name }) => name))].sort();
  const entries: Entry[] = [];
  for (const name of names)
    for (const one of (await starmap.queryServer({ name, version })) ?? []) entries.push(one);
  const map = mapOf(entries);
  if (output === undefined) {
    context.report(map, stringify(map).trimEnd());
    return;
  }
  await writeMap(resolve(context.folder, output), map);
  context.log.info(
    `wrote ${amountOf(entries.length, 'entry', 'entries')} for ${amountOf(names.length, 'application')} to ${output}`,
  );
}
