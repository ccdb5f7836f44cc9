import { UserError } from '../../errors.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import { ifAllowed, unknownGroups } from '../release/unknownTarget.ts';
import type { MapDeployment, TargetAccount, Targets } from './types.ts';

/**
 * Returns everything that would make the delivery by a map fail after the build, as far as the
 * servers tell: tokens that they refuse, and unknown groups. Asks all servers. Another artifact of
 * the same name is no problem: the map says whether it is kept or replaced.
 */
export async function mapProblems(
  names: readonly string[],
  { accounts }: Targets,
  { deploy }: Pick<MapDeployment, 'deploy'>,
): Promise<UserError[]> {
  const problems: UserError[] = [];
  for (const account of accounts) {
    try {
      // A server refuses a wrong token here. The right to read the inventory is another one.
      await listArtifacts(account.api, { names });
      if (deploy !== 'no') for (const one of await groupProblems(account)) problems.push(one);
    } catch (error) {
      if (!(error instanceof UserError) || account.api.signal?.aborted === true) throw error;
      problems.push(error);
    }
  }
  return problems;
}

async function groupProblems({ api, path, destinations }: TargetAccount): Promise<UserError[]> {
  const wanted = new Set(destinations.map(({ destination }) => destination.destination));
  wanted.delete('*');
  if (wanted.size === 0) return [];
  const search = { doing: path, ifNone: "use the destination '*' for all devices" };
  return ifAllowed(() => unknownGroups(api, [...wanted], search));
}
