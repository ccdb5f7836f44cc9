import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { describeContent } from '../../src/compress/describeContent.ts';

it.each([
  ['services:\n  web:\n    image: alpine:3\n', 'YAML'],
  ['# the shop\n\nservices:\n', 'YAML'],
  ['---\n- a\n', 'YAML'],
  ['{"a": 1}', 'JSON'],
  ['<!DOCTYPE html><title>Sign in</title>', 'a web page'],
  ['\n<html>', 'a web page'],
  [
    'version https://git-lfs.github.com/spec/v1\noid sha256:1\n',
    'a Git LFS pointer: fetch the file with git lfs pull',
  ],
  ['\x7fELF\x02', 'a program'],
  ['#!/bin/sh\n', 'a script'],
  ['-----BEGIN PRIVATE KEY-----', 'a key or certificate'],
  ['PK\x03\x04', 'a zip file'],
  [`${'a'.repeat(257)}ustar`, 'another tar archive'],
  ['hello there\n', 'text'],
  ['\x01\x02\x03', 'unknown data'],
])('calls a file that begins with %j by its kind', (start, kind) => {
  expect(describeContent(Buffer.from(start, 'latin1'))).toBe(kind);
});

it('knows compressed data', () => {
  expect(describeContent(gzipSync('x'))).toBe('gzip data');
});
