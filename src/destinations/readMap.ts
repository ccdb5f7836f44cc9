import type { Destination, Entry, Mapping, Policy } from './model.ts';
import { readAs } from './problems.ts';
import { destinationSchema, mapSchema, mappingSchema, policySchema } from './schemas.ts';

const HINT = 'destinations lint FILE lists all problems of a map';

/**
 * The entries of a map from `source`, with the meta of entry, account and destination merged and
 * the account's provider in every destination. Throws UsageError with the path of the first
 * problem.
 */
export function readMap(value: unknown, source: string): Entry[] {
  return readAs(mapSchema, value, source, HINT);
}

/** A destination of the server. Throws UsageError for an invalid one. */
export function readDestination(value: unknown, source: string): Destination {
  return readAs(destinationSchema, value, source, HINT);
}

/** A mapping of the server. Throws UsageError for an invalid one. */
export function readMapping(value: unknown, source: string): Mapping {
  return readAs(mappingSchema, value, source, HINT);
}

/** A policy of the server. Throws UsageError for an invalid one. */
export function readPolicy(value: unknown, source: string): Policy {
  return readAs(policySchema, value, source, HINT);
}
