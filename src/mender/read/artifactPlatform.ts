import type { ArtifactReport } from './report.ts';

/** The platform that an artifact is for, as it says itself; undefined if it does not. Pure. */
export function artifactPlatform({
  record,
  images,
}: Pick<ArtifactReport, 'record' | 'images'>): string | undefined {
  return record?.platform ?? images.find(({ platform }) => platform !== undefined)?.platform;
}
