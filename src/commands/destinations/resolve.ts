import { planAccounts } from '../../destinations/plan.ts';
import type { PlannedAccount } from '../../destinations/plan.ts';
import { parseNvr } from '../../destinations/nvr.ts';
import type { Destination } from '../../destinations/model.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { isFile } from '../../io/files.ts';
import { resolveApplication } from '../../destinations/resolve.ts';
import { readArtifactSets } from '../../pipeline/destinations/artifact.ts';
import { mapReport } from '../../pipeline/destinations/report.ts';
import type { Context } from '../terminal/command.ts';
import { mapChoice, openMapsOf, readServerProfiles } from '../open/mapContext.ts';
import type { DestinationsFlags } from './flags.ts';
import { formatTable } from '../terminal/format.ts';

interface Asked {
  name: string;
  version?: string | undefined;
  /** As the user wrote it. */
  image?: string | undefined;
  /** Of a file. A name alone matches every architecture. */
  architecture?: string | undefined;
}

/**
 * Prints where an application, an image or an artifact file goes. Throws NotFoundError if no map
 * knows it.
 */
export async function runResolve(flags: DestinationsFlags, context: Context): Promise<void> {
  const asked = await askedFor(flags, context);
  const found = await resolveApplication(
    await openMapsOf(flags, context),
    asked,
    mapChoice(flags),
    context.log,
  );
  const accounts = planAccounts(found, { architecture: asked.architecture, accounts: flags.account }, {});
  const { servers } = await readServerProfiles(flags, context);
  const hosts = new Map(accounts.map(({ account }) => [account, servers.get(account)?.host]));
  context.report(
    {
      ...asked,
      map: mapReport(found),
      accounts: accounts.map((one) => accountJson(one, hosts)),
    },
    text(found.path, accounts, hosts),
  );
  if (accounts.length > 0) return;
  throw new NotFoundError(`${found.path}: no destination is for ${asked.architecture ?? 'any architecture'}`);
}

async function askedFor({ what = [], image }: DestinationsFlags, context: Context): Promise<Asked> {
  const [first, version, ...more] = what;
  if (image !== undefined && first === undefined) {
    const { name, version: imageVersion } = parseNvr(image);
    return { name, version: imageVersion, image };
  }
  if (first === undefined || image !== undefined || more.length > 0) {
    throw new UsageError('destinations resolve: expected NAME [VERSION], a .mender file, or --image');
  }
  if (version !== undefined || !(await isFile(first))) return { name: first, version };
  const [artifact] = await readArtifactSets([first], context.signal);
  // An artifact without an architecture only matches destinations for any architecture.
  const { application = '', version: own, architecture = '' } = artifact ?? {};
  return { name: application, version: own, architecture };
}

function accountJson(
  { account, path, provider, overwrite, tags, destinations }: PlannedAccount,
  hosts: ReadonlyMap<string, string | undefined>,
): object {
  const list = destinations.map(({ destination }) => destination);
  return { account, host: hosts.get(account) ?? null, path, provider, overwrite, tags, destinations: list };
}

function text(
  path: string,
  accounts: readonly PlannedAccount[],
  hosts: ReadonlyMap<string, string | undefined>,
): string {
  const rows = accounts.flatMap(({ account, destinations }) => {
    const host = hosts.get(account) ?? '(no server profile)';
    return destinations.map(({ destination }) => [account, host, ...destinationRow(destination)]);
  });
  const head = ['ACCOUNT', 'HOST', 'DESTINATION', 'ARCHITECTURE', 'OVERWRITE', 'KEEPS', 'TAGS', 'META'];
  return `${path}\n${formatTable(head, rows)}`;
}

function destinationRow(one: Destination): string[] {
  const tags = Object.entries(one.tags ?? {}).map((pair) => pair.join('='));
  const meta = Object.keys(one.meta ?? {}).length === 0 ? '' : JSON.stringify(one.meta);
  return [
    one.destination,
    one.architecture ?? '',
    one.overwrite ? 'yes' : 'no',
    keepsText(one),
    tags.join(','),
    meta,
  ];
}

function keepsText({
  restrict_version,
  restrict_major: majors,
  restrict_minor: minors,
}: Destination): string {
  if (!restrict_version) return 'all';
  const parts = [
    majors === null ? '' : `majors: ${majors}`,
    minors === null ? '' : `minors of each: ${minors}`,
    'newest of each X.Y',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
