import type { KeyObject } from 'node:crypto';
import { IntegrityError } from '../../errors.ts';
import type { Suffix } from './nested.ts';
import type { Header } from './readHeader.ts';
import type { ArtifactReport, ArtifactVisitor } from './report.ts';

/** What the data of an artifact holds. */
export type Data = Pick<ArtifactReport, 'files' | 'images' | 'manifests'>;

/** What was read of an artifact so far. */
export interface Outer {
  path: string;
  key: KeyObject | undefined;
  visitor: ArtifactVisitor;
  sumsOnly: boolean;
  hasVersion: boolean;
  manifest?: Buffer;
  /** SHA-256 by path of what the manifest names and was not yet seen. */
  sums: Map<string, string>;
  signature: ArtifactReport['signature'];
  header?: Header;
  suffix: Suffix;
  data?: Data;
}

/** Compares what was found with the manifest; each path once. */
export function checkSum(outer: Pick<Outer, 'path' | 'sums'>, path: string, found: string): void {
  const expected = outer.sums.get(path);
  if (expected === undefined) throw new IntegrityError(`${outer.path}: ${path} is not in its manifest`);
  if (found !== expected) {
    throw new IntegrityError(`${outer.path}: ${path}: expected the checksum ${expected}, found ${found}`);
  }
  outer.sums.delete(path);
}
