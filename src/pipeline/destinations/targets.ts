import type { PlannedAccount } from '../../destinations/plan.ts';
import { planAccounts, retentionRules } from '../../destinations/plan.ts';
import type { Resolution } from '../../destinations/resolve.ts';
import { listSiblings, resolveApplication } from '../../destinations/resolve.ts';
import { artifactNameOf } from '../../destinations/settings.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import type { MapContext, MapDeployment, TargetAccount, Targets } from './types.ts';

/** What goes to the destinations of a map. */
export interface ShippedSoftware {
  application: string;
  version: string;
  /** As in a platform. Without one, only destinations for any architecture match. */
  architecture?: string | undefined;
}

/**
 * Finds where software goes before it is built. Throws NotFoundError for an unknown application and
 * if no destination matches, and what `openTargets` throws.
 */
export async function findTargets(
  software: ShippedSoftware,
  request: MapDeployment,
  { maps, accounts, log }: Pick<MapContext, 'maps' | 'accounts' | 'log'>,
): Promise<Targets> {
  const { application: name, version } = software;
  const resolution = await resolveApplication(maps, { name, version }, request.choice, log);
  const targets = await openTargets(software, resolution, request, { maps, accounts });
  if (targets.accounts.length > 0 || request.allowEmpty) return targets;
  throw noDestination(`${resolution.path}: ${noDestinationText(software.architecture ?? null)}`);
}

/**
 * The accounts that get the software, all opened, so that a missing token costs no build and no
 * upload. Throws NotFoundError for unknown accounts, UsageError and DeniedError for invalid
 * settings and accounts.
 */
export async function openTargets(
  { architecture = '' }: ShippedSoftware,
  resolution: Resolution,
  { choice, settings }: MapDeployment,
  { maps, accounts }: Pick<MapContext, 'maps' | 'accounts'>,
): Promise<Targets> {
  const planned = planAccounts(resolution, { architecture, accounts: choice.accounts }, settings);
  const opened: TargetAccount[] = [];
  const siblings = await listSiblings(resolution.entry, maps);
  for (const one of planned) {
    const api = await accounts.open(one.account, one.path);
    opened.push({ ...one, api, retention: retentionRules(siblings, one.account) });
  }
  return { resolution, accounts: opened };
}

/**
 * The artifact name that the map asks for, if any. Throws UsageError if it asks for several names.
 */
export function nameByMap(software: ShippedSoftware, { resolution, accounts }: Targets): string | undefined {
  const names = new Set(accounts.flatMap((one) => namesOf(software, one)));
  if (names.size <= 1) return [...names][0];
  throw new UsageError(
    `${resolution.path}: meta.artifact_name asks for ${[...names].join(' and ')}, but an artifact has one name`,
  );
}

/** The names that the destinations of an account ask for. */
export function namesOf(
  { application: name, version, architecture = '' }: ShippedSoftware,
  { destinations }: PlannedAccount,
): string[] {
  return destinations.flatMap(
    ({ destination }) => artifactNameOf(destination.meta, { name, version, architecture }) ?? [],
  );
}

/** Says that no destination matches the architecture. */
export function noDestinationText(architecture: string | null): string {
  return `no destination is for ${architecture ?? 'any architecture'}`;
}

/** The error of a run without destinations. */
export function noDestination(message: string): NotFoundError {
  return new NotFoundError(message, {
    hint: 'check the architectures in the map, or give --allow-empty-targets',
  });
}
