import { NotFoundError } from '../../errors.ts';

/** A search for a device group that does not exist. */
interface GroupSearch {
  /** The groups that exist. */
  groups: readonly string[];
  host: string;
  /** What the group was for, like `deploying app-1.2`. */
  doing?: string;
  /** What to do on a server without groups. */
  ifNone?: string;
}

/** The error for an unknown device group. Its hint names the groups that exist. Pure. */
export function unknownGroup(
  group: string,
  { groups, host, doing, ifNone = 'deploy to --devices or --all-devices' }: GroupSearch,
): NotFoundError {
  const start = doing === undefined ? '' : `${doing}: `;
  return new NotFoundError(`${start}there is no device group ${group} on ${host}`, {
    hint:
      groups.length === 0
        ? `the server has no groups: ${ifNone}`
        : `use one of its groups: ${[...groups].sort().join(', ')}`,
  });
}

/** The error for an unknown device. Pure. */
export function unknownDevice(id: string, host: string): NotFoundError {
  return new NotFoundError(`there is no device ${id} on ${host}`, {
    hint: 'mender-docker-delta devices list shows the ids',
  });
}
