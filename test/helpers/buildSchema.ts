import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';

type Json = Record<string, unknown>;

const path = resolve(import.meta.dirname, '../../docs/build.schema.json');
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
/** The published schema, and nothing else than what it names. */
const schema = { ...closed(JSON.parse(readFileSync(path, 'utf8'))), $id: 'build' };
ajv.addSchema(schema);

/** Says what of the text does not fit the schema that the package has. Empty if all fits. */
export function schemaErrors(text: string, type: 'BuildDocument' | 'ErrorDocument'): string {
  const validate = ajv.getSchema(`build#/$defs/${type}`)!;
  return validate(JSON.parse(text)) === true ? '' : ajv.errorsText(validate.errors);
}

function closed(value: unknown): Json {
  return closedValue(value) as Json;
}

/** Objects get no properties that are not named: a new field must be in the schema. */
function closedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closedValue);
  if (typeof value !== 'object' || value === null) return value;
  const object = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closedValue(one)]));
  const isOpen = object['type'] === 'object' && 'properties' in object && !('additionalProperties' in object);
  return isOpen ? { ...object, additionalProperties: false } : object;
}
