import type { EntryAmount, PrunedShelf } from '../cache/shared/pruneShelf.ts';
import { pruneShelf } from '../cache/shared/pruneShelf.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { amountOf, formatBytes } from '../io/amounts.ts';
import { registryAccess } from './open/openRegistry.ts';
import { openShelf } from './open/openSharedCache.ts';
import { BUILD_OPTIONS } from './options/build.ts';
import { parseCachePlace } from './options/sharedCache.ts';
import { parseSize } from './options/size.ts';
import type { Context, FlagsOf } from './terminal/command.ts';
import { variableName } from './terminal/command.ts';
import { parseDuration } from './terminal/format.ts';

/** How `cache prune` names a shared cache, and what it deletes there. */
export const REMOTE_OPTIONS = {
  remote: {
    type: 'string',
    placeholder: 'PLACE',
    describe:
      'prune: the shared cache type=registry,ref=HOST/REPO[:TAG] or type=local,dest=FOLDER instead of the cache folder',
  },
  'older-than': {
    type: 'string',
    placeholder: 'DURATION',
    describe: 'prune --remote: delete what no run has needed for that long, like 30d',
  },
  'dry-run': { type: 'boolean', describe: 'prune --remote: only say what would be deleted' },
  'insecure-registry': BUILD_OPTIONS['insecure-registry'],
} as const;

type Flags = FlagsOf<typeof REMOTE_OPTIONS> & {
  action: string;
  limitSize?: string;
  limitPercent?: number;
};

/** Throws UsageError for flags that are about a shared cache, where there is none. */
export function refuseRemoteFlags(flags: Flags, { environment }: Pick<Context, 'environment'>): void {
  const { action, remote } = flags;
  if (remote !== undefined && action !== 'prune') {
    throw new UsageError(`cache ${action}: --remote is for prune only`, {
      hint: `for the cache folder of this machine: mender-docker-delta cache ${action}`,
    });
  }
  const odd = remoteFlag(flags, environment);
  if (remote !== undefined || odd === undefined) return;
  throw new UsageError(`cache ${action}: ${odd} is for a shared cache`, {
    hint: `name it: mender-docker-delta cache prune --remote type=registry,ref=HOST/REPO --older-than 30d`,
  });
}

/** Returns the first flag that is about a shared cache only. */
function remoteFlag(
  { olderThan, dryRun, insecureRegistry }: Flags,
  environment: Context['environment'],
): string | undefined {
  if (olderThan !== undefined) return '--older-than';
  if (dryRun === true) return '--dry-run';
  // Builds read the same variable, so it may be set for all commands.
  const isFlag = insecureRegistry !== undefined && !environment[variableName('insecure-registry')];
  return isFlag ? '--insecure-registry' : undefined;
}

/**
 * Deletes from a shared cache what exceeds the limits of the flags, and reports it. Throws
 * NotFoundError if there is no such place.
 */
export async function pruneRemote(flags: Flags & { remote: string }, context: Context): Promise<void> {
  const { dryRun = false } = flags;
  const place = parseCachePlace(flags.remote, '--remote', context.folder);
  const limits = limitsOf(flags);
  const shelf = openShelf(place, { dryRun }, registryAccess(flags, context), context.signal);
  const pruned = await pruneShelf(shelf, { ...limits, dryRun }, context);
  if (pruned === undefined) throw noSuchPlace(shelf.place);
  context.report({ place: shelf.place, dryRun, ...pruned }, prunedText(shelf.place, pruned, dryRun));
}

function noSuchPlace(place: string): NotFoundError {
  return new NotFoundError(`${place}: there is no such shared cache`, {
    hint: 'check --remote and what your account may see, or mount the folder; the first entry creates a shared cache',
  });
}

function limitsOf({ olderThan, limitSize, limitPercent }: Flags): { olderThan?: number; limitSize?: number } {
  if (limitPercent !== undefined) {
    throw new UsageError('--limit-percent is about the disk of this machine, not about --remote', {
      hint: 'limit a shared cache with --older-than 30d or --limit-size 20G',
    });
  }
  if (olderThan === undefined && limitSize === undefined) {
    throw new UsageError('cache prune --remote: expected a limit', {
      hint: 'add --older-than 30d, or --limit-size 20G, or both',
    });
  }
  return {
    ...(olderThan === undefined ? {} : { olderThan: parseAge(olderThan) }),
    ...(limitSize === undefined ? {} : { limitSize: parseSize(limitSize, '--limit-size') }),
  };
}

/** A number without a unit would be seconds, and delete all. */
function parseAge(text: string): number {
  if (/[smhd]\s*$/.test(text)) return parseDuration(text, '--older-than');
  throw new UsageError(`--older-than ${JSON.stringify(text)}: expected a duration with a unit, like 30d`);
}

function prunedText(
  place: string,
  { found, deleted, remaining, shared }: PrunedShelf,
  dryRun: boolean,
): string {
  return [
    `${place}: ${textOf(found)}`,
    `${dryRun ? 'would be deleted' : 'deleted'}: ${textOf(deleted)}`,
    `${dryRun ? 'would remain' : 'remaining'}: ${textOf(remaining)}`,
    ...(shared.entries === 0 ? [] : [`never deleted: ${textOf(shared)}, because other tags name them too`]),
  ].join('\n');
}

function textOf({ entries, bytes }: EntryAmount): string {
  return `${amountOf(entries, 'entry', 'entries')}, ${formatBytes(bytes)}`;
}
