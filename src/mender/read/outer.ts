import type { KeyObject } from 'node:crypto';
import { IntegrityError } from '../../errors.ts';
import type { Suffix } from './nested.ts';
import type { ArtifactHeader } from './readHeader.ts';
import type { ReadImages } from './readImages.ts';
import type { ArtifactReport, ArtifactVisitor } from './report.ts';

/** What the data of an artifact holds. */
export type Data = Pick<ArtifactReport, 'files' | 'manifests' | 'oddEntries'> & ReadImages;

/** What was read of an artifact so far. */
export interface Outer {
  path: string;
  key: KeyObject | undefined;
  visitor: ArtifactVisitor;
  sumsOnly: boolean;
  /** SHA-256 of the file `version`. */
  versionSum?: string;
  manifest?: Buffer;
  /** SHA-256 by path of what the manifest names and was not seen yet. */
  sums: Map<string, string>;
  signature: ArtifactReport['signature'];
  header?: ArtifactHeader;
  suffix: Suffix;
  data?: Data;
}

/** The state before the first entry of the artifact at `path`. */
export function newOuter(path: string, options: Partial<Pick<Outer, 'key' | 'visitor' | 'sumsOnly'>>): Outer {
  const { key, visitor = {}, sumsOnly = false } = options;
  return { path, key, visitor, sumsOnly, sums: new Map(), signature: 'none', suffix: '' };
}

/**
 * Throws IntegrityError unless the manifest gives `path` the checksum `found`, and `path` was not
 * seen before.
 */
export function checkSum(outer: Pick<Outer, 'path' | 'sums'>, path: string, found: string): void {
  const expected = outer.sums.get(path);
  if (expected === undefined) throw new IntegrityError(`${outer.path}: ${path} is not in its manifest`);
  if (found !== expected) {
    throw new IntegrityError(`${outer.path}: ${path}: expected the checksum ${expected}, found ${found}`);
  }
  outer.sums.delete(path);
}
