import { brokenArtifact } from '../../mender/brokenArtifact.ts';
import type { Artifact } from '../../server/artifacts.ts';
import type { FleetDevice } from './devices.ts';

/**
 * What the artifact that a device installed last says of an application. `broken`: an update of the
 * application failed and was not undone, so the device may run another version than it reports.
 * `other`: it is other software. Undefined: it contradicts nothing.
 */
export type LastArtifact = 'broken' | 'other' | undefined;

/** `others`: the names of other software. An unknown name may be of the application. Pure. */
export function judgeLast(
  { lastArtifact = '' }: Pick<FleetDevice, 'lastArtifact'>,
  others: ReadonlySet<string>,
): LastArtifact {
  const broken = brokenArtifact(lastArtifact);
  if (others.has(broken ?? lastArtifact)) return 'other';
  return broken === undefined ? undefined : 'broken';
}

/** The names of the artifacts that provide none of the application's version keys. Pure. */
export function otherSoftware(
  artifacts: readonly Pick<Artifact, 'name' | 'artifact_provides'>[],
  keys: readonly string[],
): Set<string> {
  const isOther = ({ artifact_provides: provides }: (typeof artifacts)[number]): boolean =>
    provides !== undefined && keys.every((key) => provides[key] === undefined);
  const own = new Set(artifacts.filter((one) => !isOther(one)).map(({ name }) => name));
  return new Set(artifacts.map(({ name }) => name).filter((name) => !own.has(name)));
}
