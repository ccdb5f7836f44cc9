import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import {
  formatLibraryReference,
  isLibraryReference,
  isPushPath,
  isReferencePart,
  LibraryReferenceError,
  parseLibraryReference,
  parseWrittenReference,
  splitLibraryPath,
} from '../../src/library/reference.ts';
import type { LibraryReference } from '../../src/library/reference.ts';
import { sameHost } from '../../src/library/url.ts';
import { vectors } from './vectors.ts';

interface ParseCase {
  input: string;
  error: string | null;
  host?: string;
  path?: string;
  tags?: string[];
  string?: string;
}

interface PathCase {
  input: string;
  push_ref: boolean;
  entity: string;
  collection: string;
  container: string;
  tags: string[] | null;
}

interface References {
  parse: ParseCase[];
  parse_ambiguous: ParseCase[];
  library_paths: PathCase[];
  ref_part: { input: string; valid: boolean }[];
}

const references = vectors('library-refs') as References;
const misc = vectors('library-misc') as { same_host: { a: string; b: string; same: boolean }[] };

function outcomeOf(parse: (text: string) => LibraryReference, input: string): object {
  try {
    const reference = parse(input);
    return { ...reference, error: null, string: formatLibraryReference(reference) };
  } catch (error) {
    if (!(error instanceof LibraryReferenceError)) throw error;
    expect(error).toBeInstanceOf(UsageError);
    return { error: error.fault };
  }
}

function expectedOf({ error, host, path, tags, string }: ParseCase): object {
  return JSON.parse(JSON.stringify({ error, host, path, tags, string })) as object;
}

describe('parseLibraryReference', () => {
  test.each(references.parse)('$input', (one) => {
    expect(outcomeOf(parseLibraryReference, one.input)).toEqual(expectedOf(one));
  });
});

describe('parseWrittenReference', () => {
  test.each(references.parse_ambiguous)('$input', (one) => {
    expect(outcomeOf(parseWrittenReference, one.input)).toEqual(expectedOf(one));
  });

  test.each([
    ['library://h\u0000st/a', 'InvalidURL'],
    ['library://h st/a', 'InvalidURL'],
    ['library:/%zz', 'InvalidURL'],
    ['1a:b', 'InvalidURL'],
  ])('%j', (text, fault) => {
    expect(outcomeOf(parseWrittenReference, text)).toEqual({ error: fault });
  });
});

describe('splitLibraryPath', () => {
  test.each(references.library_paths)(
    '$input',
    ({ input, push_ref, entity, collection, container, tags }) => {
      expect(splitLibraryPath(input)).toEqual({ entity, collection, container, tags });
      expect(isPushPath(input)).toBe(push_ref);
    },
  );
});

test.each(references.ref_part)('isReferencePart: $input', ({ input, valid }) => {
  expect(isReferencePart(input)).toBe(valid);
});

test.each(misc.same_host)('sameHost: $a and $b', ({ a, b, same }) => {
  expect(sameHost(a, b)).toBe(same);
});

test.each([
  ['http://a', 'https://a', false],
  ['no address', 'https://a', false],
])('sameHost: %s and %s', (a, b, same) => {
  expect(sameHost(a, b)).toBe(same);
});

test.each([
  ['library://a', true],
  ['library:a/b/c', true],
  ['LIBRARY://a', true],
  ['library/a', false],
  ['docker.io/library/alpine:3', false],
  ['a/b/c:1', false],
])('isLibraryReference: %s', (text, expected) => {
  expect(isLibraryReference(text)).toBe(expected);
});
