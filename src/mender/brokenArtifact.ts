/** Mender clients add this to the name of an artifact whose update failed and was not undone. */
const INCONSISTENT = '_INCONSISTENT';

/**
 * The name of the artifact whose update failed and was not undone, by the `artifact_name` that a
 * device reports. It reports the version of that artifact, and may run the one before. Undefined if
 * nothing failed so.
 */
export function brokenArtifact(artifactName: string | undefined): string | undefined {
  return artifactName?.endsWith(INCONSISTENT) ? artifactName.slice(0, -INCONSISTENT.length) : undefined;
}
