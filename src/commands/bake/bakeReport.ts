import { relative } from 'node:path';
import { UserError, reworded } from '../../errors.ts';
import type { UploadReport } from '../../pipeline/release/upload.ts';
import type { BuildReport } from '../build/buildReport.ts';
import { buildJson, savingText } from '../build/buildReport.ts';
import type { ErrorReport } from '../terminal/errorReport.ts';
import { errorReport } from '../terminal/errorReport.ts';
import { formatTable } from '../terminal/format.ts';
import { builtPlatform } from './planBuilds.ts';
import type { PlannedBuild } from './planBuilds.ts';
import type { EndedBuild } from './runBuilds.ts';

/** What `bake` made of one target and platform. */
export interface BakeReport {
  /** The word of a command line that builds it again: `TARGET` or `TARGET@PLATFORM`. */
  name: string;
  target: string;
  /** `os/arch[/variant]`; null for a target with a fault. */
  platform: string | null;
  artifacts: BuildReport[];
  /** Null without `--upload`. */
  uploads: UploadReport[] | null;
  /** Null if all went well. */
  error: ErrorReport | null;
}

/** What `bake --json` prints. */
export interface BakeDocument {
  builds: BakeReport[];
  /** That of the first build that failed. */
  error: ErrorReport | null;
}

/** The report of a build for machines. */
export function bakeReport({ name, target, ready, built, uploads, failure }: EndedBuild): BakeReport {
  return {
    ...{ name, target, platform: platformIn(ready) },
    artifacts: built.map(buildJson),
    uploads: uploads === undefined ? null : [...uploads],
    error: failure === undefined ? null : errorReport(failure),
  };
}

function platformIn(ready: PlannedBuild['ready']): string | null {
  return ready instanceof UserError ? null : builtPlatform(ready);
}

/**
 * All builds for people: a row for each artifact, one for each failure, and what is on the server
 * `host`, which is undefined if nothing was to be uploaded. Paths begin in `folder`.
 */
export function bakeText(ended: readonly EndedBuild[], folder: string, host: string | undefined): string {
  const rows = ended.flatMap((one) => [
    ...one.built.map((built) => [one.name, relative(folder, built.artifact.path), savingText(built)]),
    ...(one.failure === undefined ? [] : [[one.name, '', `failed: ${one.failure.message}`]]),
  ]);
  return `${formatTable(['target', 'artifact', 'size'], rows)}\n${uploadsText(ended, host)}`;
}

function uploadsText(ended: readonly EndedBuild[], host: string | undefined): string {
  if (host === undefined) return 'not uploaded';
  const built = ended.flatMap((one) => one.built).length;
  const uploads = ended.flatMap((one) => one.uploads ?? []);
  const present = uploads.filter(({ outcome }) => outcome === 'present').length;
  const already = present === 0 ? '' : `; ${present} ${present === 1 ? 'was' : 'were'} there already`;
  return `uploaded ${uploads.length - present} of ${built} artifacts to ${host}${already}`;
}

/**
 * The error of a run: that of the first build that failed, in the order of the targets. Undefined
 * if all went well.
 */
export function bakeFailure(ended: readonly EndedBuild[]): UserError | undefined {
  const failed = ended.flatMap(({ name, failure }) => (failure === undefined ? [] : [{ name, failure }]));
  const [first] = failed;
  if (first === undefined || ended.length === 1) return first?.failure;
  const start = failed.length === 1 ? ':' : '; the first is';
  const count = `${failed.length} of ${ended.length} builds failed`;
  return reworded(first.failure, `${count}${start} ${first.name}: ${first.failure.message}`);
}
