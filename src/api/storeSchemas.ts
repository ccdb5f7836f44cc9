import { array, looseObject, nullable, optional } from 'valibot';
import type { PruneRequest } from '../pipeline/release/retention.ts';
import type { UploadRequest } from '../pipeline/release/upload.ts';
import type { ArtifactQuery } from '../server/artifacts.ts';
import type { SchemaOf } from './checkOptions.ts';
import { amount, flag, text, texts } from './schemas.ts';

const maybeText = optional(text);

/** The options of each call of an artifact store. */
export const QUERY_SCHEMA: SchemaOf<ArtifactQuery> = {
  names: optional(texts),
  description: maybeText,
  deviceType: maybeText,
};

export const UPLOAD_SCHEMA: SchemaOf<UploadRequest> = {
  path: text,
  description: maybeText,
  direct: optional(flag),
};

const limit = nullable(amount);

export const PRUNE_SCHEMA: SchemaOf<PruneRequest> = {
  application: text,
  rules: array(looseObject({ majors: limit, minors: limit }, 'rules'), 'an array of rules'),
  dryRun: flag,
  keep: maybeText,
};
