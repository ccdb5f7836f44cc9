import type { Cache } from '../../cache/cache.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';

/**
 * Makes what was built the base of the next build for its platform, once it has arrived where it
 * should go. With --no-upload it goes nowhere, so only local builds are made against it.
 */
export async function rememberBuilt(built: readonly BuiltArtifact[], cache: Cache): Promise<void> {
  for (const request of new Set(built.map((one) => one.request)))
    await rememberPlatform(
      built.filter((one) => one.request === request),
      request.isLocal,
      cache,
    );
}

/** Several artifacts for one platform lead to the same state, most often under different names. */
async function rememberPlatform(
  built: readonly BuiltArtifact[],
  isLocal: boolean,
  cache: Cache,
): Promise<void> {
  const [first] = built;
  if (first === undefined) return;
  const { artifactName, ...common } = first.metadata;
  const names = new Set(built.map(({ metadata }) => metadata.artifactName));
  const isOnly = names.size === 1 && artifactName !== undefined;
  const metadata = isOnly ? { ...common, artifactName } : common;
  const { application } = first.plan;
  if (isLocal) await cache.lastArtifacts.rememberLocal(application, metadata);
  else await cache.lastArtifacts.remember(application, metadata);
}
