import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonObject, Problem } from '../../src/destinations/problems.ts';
import { schemaProblems } from '../../src/destinations/problems.ts';
import { destinationSchema, mapSchema, mappingSchema, policySchema } from '../../src/destinations/schemas.ts';
import { mergeMeta } from '../../src/destinations/mergeMeta.ts';
import { filterEntries, localMap } from '../../src/destinations/localMap.ts';
import type { EntryFilters, MapQuery } from '../../src/destinations/localMap.ts';
import { readDestination, readMap, readMapping, readPolicy } from '../../src/destinations/readMap.ts';
import type { Entry } from '../../src/destinations/model.ts';
import { imageName, parseNvr } from '../../src/destinations/nvr.ts';
import { mapOf } from '../../src/destinations/writeMap.ts';
import { UsageError } from '../../src/errors.ts';
import { vector } from './vectors.ts';

interface Case {
  json: unknown;
  result?: unknown;
  error?: string;
  message?: string;
}

/** Fields of the original for products other than Mender. */
const FOREIGN: readonly string[] = ['ami_version_template', 'vhd_check_base_sas_only'];
const withoutForeign = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (key, one: unknown) => (FOREIGN.includes(key) ? undefined : one)));

const container = withoutForeign(vector('starmap-container')) as {
  input: JsonObject[];
  parsed: Entry[];
  filter_by: { filters: EntryFilters; result?: string[][]; error?: string }[];
  provider_query: { params: MapQuery; result?: string[][] | null; error?: string }[];
  validation: Record<'destination' | 'mapping' | 'policy' | 'container', Case[]>;
};
const entries = readMap(container.input, 'map');
const short = (list: readonly Entry[]): string[][] =>
  list.map(({ name, workflow, cloud }) => [name, workflow, cloud]);

describe('merging', () => {
  const { cases } = vector('starmap-dict-merge') as {
    cases: Record<'low' | 'high' | 'result', JsonObject>[];
  };
  test.each(cases)('$low with $high', ({ low, high, result }) => {
    expect(mergeMeta(low, high)).toEqual(result);
  });

  test('leaves both sides as they are, and a second time changes nothing', () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 });
    fc.assert(
      fc.property(value, value, (low, high) => {
        const before = JSON.stringify([low, high]);
        const merged = mergeMeta(low, high);
        expect(JSON.stringify([low, high])).toBe(before);
        expect(mergeMeta(merged, high)).toEqual(merged);
        expect(mergeMeta({}, high)).toEqual(high);
      }),
    );
  });

  test('a field __proto__ is a field like others', () => {
    const high = JSON.parse('{"__proto__": {"polluted": true}}') as JsonObject;
    const merged = mergeMeta({ a: 1 }, high);
    expect(Object.keys(merged)).toEqual(['a', '__proto__']);
    expect((merged as { polluted?: boolean }).polluted).toBeUndefined();
  });
});

describe('NVR', () => {
  const nvr = vector('starmap-nvr') as {
    parse_nvr: { input: string; result?: object; error?: string }[];
    get_image_name: { input: string | null; result?: string; error?: string }[];
  };
  test.each(nvr.parse_nvr)('$input', ({ input, result }) => {
    if (result === undefined) expect(() => parseNvr(input)).toThrow(UsageError);
    else expect(parseNvr(input)).toEqual(result);
  });
  test.each([
    ['gateway-1:1.2.3-4', { name: 'gateway', version: '1.2.3', release: '4', epoch: '1' }],
    ['a/b-c-12:1.0-1', { name: 'b-c', version: '1.0', release: '1', epoch: '12' }],
    ['gateway-0:1.2.3-4.mender', { name: 'gateway', version: '1.2.3', release: '4.mender', epoch: '0' }],
  ])('%s, as RPM writes it', (input, result) => {
    expect(parseNvr(input)).toEqual(result);
  });

  test.each(['gateway-x:1.2.3-4', 'gateway-1:1.2.3', '1:gateway-1:1.2.3-4', 'g-1:1-2:3'])('%s', (input) => {
    expect(() => parseNvr(input)).toThrow(UsageError);
  });

  test.each(nvr.get_image_name)('name of $input', ({ input, result }) => {
    if (result === undefined) expect(() => imageName(input)).toThrow(UsageError);
    else expect(imageName(input)).toBe(result);
  });
});

describe('a map', () => {
  test('is read with its meta merged and its providers handed down', () => {
    expect(entries).toEqual(container.parsed);
  });

  test('is written so that reading it again gives the same', () => {
    expect(readMap(mapOf(entries), 'written')).toEqual(entries);
  });

  test.each(container.filter_by)('filtered by $filters', ({ filters, result }) => {
    if (result === undefined) expect(() => filterEntries(entries, filters)).toThrow(/"bogus"/);
    else expect(short(filterEntries(entries, filters))).toEqual(result);
  });

  test.each(container.provider_query)('asked for $params', ({ params, result }) => {
    const ask = () => localMap(entries).query(params);
    if (result === undefined) expect(ask).toThrow(/"gateway" is not name-version-release/);
    else if (result === null) expect(ask()).toBeUndefined();
    else expect(short(ask()!)).toEqual(result);
  });

  test('takes release and development as names of the workflows', () => {
    const [entry] = container.input;
    const read = readMap(
      [
        { ...entry, workflow: 'release' },
        { ...entry, workflow: 'development' },
      ],
      'map',
    );
    expect(read.map(({ workflow }) => workflow)).toEqual(['stratosphere', 'community']);
  });
});

describe('validation', () => {
  /** The field that the original's message names, by its own words. */
  const FIELD = /^(\w+)' must be|The value for "(\w+)"|Length of '(\w+)'|Expected (root|destinations) to/;

  function check(problems: Problem[], read: () => unknown, { result, error, message = '' }: Case): void {
    if (error === undefined) {
      expect(problems).toEqual([]);
      const value = read();
      // The original keeps true where it means 1.
      if (typeof result === 'object')
        expect(value).toEqual(JSON.parse(JSON.stringify(result).replace(/(major":)true/, '$11')));
      else if (typeof result === 'number') expect(value).toHaveLength(result);
      else expect(result).toBe(true);
      return;
    }
    const all = problems.map(({ path, message: text }) => `${path}: ${text}`).join('\n');
    const field = FIELD.exec(message)?.slice(1).find(Boolean);
    if (field !== undefined && field !== 'root') expect(all).toContain(field);
    if (/Workflow/.test(message)) expect(all).toMatch(/workflow: expected stratosphere/);
    expect(all).not.toBe('');
    expect(read).toThrow(UsageError);
    expect(read).toThrow(/^here: [^\n]+$/);
  }

  const { destination, mapping, policy, container: containers } = container.validation;
  test.each(destination)('destination $json', (one) => {
    check(schemaProblems(destinationSchema, one.json), () => readDestination(one.json, 'here'), one);
  });
  test.each(mapping)('mapping $json', (one) => {
    check(schemaProblems(mappingSchema, one.json), () => readMapping(one.json, 'here'), one);
  });
  test.each(policy)('policy $json', (one) => {
    check(schemaProblems(policySchema, one.json), () => readPolicy(one.json, 'here'), one);
  });
  test.each(containers)('map $json', (one) => {
    check(schemaProblems(mapSchema, one.json), () => readMap(one.json, 'here'), one);
  });

  test('names the path of what is wrong, and how much more there is', () => {
    const wrong = [
      ...container.input,
      { name: 'x', workflow: 'community', cloud: 'mender', mappings: { 'a b': { destinations: [{}] } } },
    ];
    expect(() => readMap(wrong, 'map.yaml')).toThrow(
      'map.yaml: [3].mappings["a b"].destinations[0].destination: expected a text, found nothing (and 2 more)',
    );
  });
});
