import { readFileSync } from 'node:fs';

/** A file of conformance data; see fixtures/vectors/README.md. */
export function vector(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../fixtures/vectors/${name}.json`, import.meta.url), 'utf8'));
}
