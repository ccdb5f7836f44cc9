import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const FIXTURE = join(import.meta.dirname, '../../../fixtures/compose/compose-spec.json');
const GENERATED = '../../../src/compose/read/schema/composeSchema.ts';
/** Keywords that say nothing about what is valid. */
const NOTES = ['$schema', '$id', 'title', 'description', 'default', 'deprecated'];
/** Keywords whose keys are names. */
const NAMED = ['properties', 'patternProperties', 'definitions'];

function withoutNotes(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutNotes);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => !NOTES.includes(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [key, NAMED.includes(key) ? eachWithoutNotes(value) : withoutNotes(value)]),
  );
}

function eachWithoutNotes(named: unknown): unknown {
  const entries = Object.entries(named as Record<string, unknown>);
  return Object.fromEntries(entries.map(([name, schema]) => [name, withoutNotes(schema)]));
}

test('the schema in the source is the one of the Compose specification', async () => {
  const schema = withoutNotes(JSON.parse(readFileSync(FIXTURE, 'utf8')));
  const text = JSON.stringify(schema).replace(/[\\']/g, '\\$&');
  const source =
    '/** Generated from fixtures/compose/compose-spec.json by test/compose/read/schema.test.ts. */\n' +
    `export const COMPOSE_SCHEMA =\n  '${text}';\n`;
  await expect(source).toMatchFileSnapshot(GENERATED);
});
