import { interpolatePartly, namesIn } from '../read/variables/template.ts';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { isMapping } from '../read/yaml/value.ts';
import type { Variables } from '../read/variables/variables.ts';
import type { Edit } from './edits.ts';

/** A variable whose value is written into the shipped Compose file, and the place. */
export interface WrittenVariable {
  name: string;
  /** Keys, joined by dots. */
  where: string;
  /** The file that gives the value, or `the environment of the build`. */
  origin: string;
}

/**
 * Returns the edits that replace local variables by their values, and the variables. The others
 * stay: the device has them from the shipped `.env`, or from its own environment.
 */
export function fillInLocal(
  model: Mapping,
  variables: Variables,
): { edits: Edit[]; written: WrittenVariable[] } {
  const edits: Edit[] = [];
  const written: WrittenVariable[] = [];
  const visit = (value: Value, at: readonly (string | number)[]): void => {
    if (Array.isArray(value)) value.forEach((item, index) => visit(item, [...at, index]));
    if (isMapping(value)) Object.entries(value).forEach(([key, item]) => visit(item, [...at, key]));
    if (typeof value !== 'string' || !value.includes('$')) return;
    const local = namesIn(value).filter(variables.isLocal);
    if (local.length === 0) return;
    edits.push({ at, value: interpolatePartly(value, variables.lookup, variables.isLocal) });
    const where = at.filter((key) => typeof key === 'string').join('.');
    for (const name of local) written.push({ name, where, origin: variables.originOf(name) });
  };
  visit(model, []);
  return { edits, written };
}
