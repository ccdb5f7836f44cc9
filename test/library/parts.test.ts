import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NetworkError, NotFoundError, UsageError } from '../../src/errors.ts';
import { bytesOf, createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { checksumsOf } from '../../src/library/checksums.ts';
import { libraryBase } from '../../src/library/client.ts';
import { hashOf } from '../../src/library/images.ts';
import { MULTIPART_ABOVE, nextPartSize } from '../../src/library/upload/multipart.ts';
import { signsSha256 } from '../../src/library/upload/storage.ts';
import { abilitiesOf } from '../../src/library/version.ts';
import { chooseChallenge, parseChallenges } from '../../src/registry/challenge.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../helpers/temporary.ts';
import { vectors } from './vectors.ts';

interface Misc {
  api_at_least: { apiVersion: string; v2_archtags: boolean; v2_upload: boolean }[];
  base_url: { base: string; error?: string; resolved_base?: string; request_url?: string }[];
  presigned_sha256_support: { url: string; send_sha256_header: boolean }[];
  upload_part_size: { next: number; part_size: number; remaining: number }[];
  upload_multipart_threshold_bytes_exclusive: number;
  www_authenticate: {
    header: string;
    error?: string;
    type?: string;
    realm?: string;
    service?: string;
    scope?: string;
  }[];
  content_length: { value: string; size?: number; error?: true }[];
  file_hash: { content_utf8: string; image_hash: string };
}

const misc = vectors('library-misc') as Misc;

test.each(misc.api_at_least)('abilitiesOf: $apiVersion', ({ apiVersion, v2_archtags, v2_upload }) => {
  expect(abilitiesOf(apiVersion)).toEqual({ archTags: v2_archtags, presignedUploads: v2_upload });
});

test.each([
  ['2.0.0-alpha.0', false, false],
  ['2.0.0-alpha.1', true, false],
  ['2.0.0-alpha.10', true, true],
  ['2.0.0-beta', true, true],
  ['2.1.0-alpha.1', true, true],
])('abilitiesOf: %s', (version, presignedUploads, archTags) => {
  expect(abilitiesOf(version)).toEqual({ presignedUploads, archTags });
});

describe('libraryBase', () => {
  test.each(misc.base_url)('$base', ({ base, error, resolved_base }) => {
    if (error === undefined) expect(libraryBase(base)).toBe(resolved_base);
    else expect(() => libraryBase(base)).toThrow(UsageError);
  });

  test.each(['no address', 'https://user:secret@h/', 'https://h/?a=b'])('%s', (base) => {
    expect(() => libraryBase(base)).toThrow(UsageError);
  });
});

test.each(misc.presigned_sha256_support)('signsSha256: $url', ({ url, send_sha256_header }) => {
  expect(signsSha256(url)).toBe(send_sha256_header);
});

test.each(misc.upload_part_size)(
  'nextPartSize: $remaining of $part_size',
  ({ next, part_size, remaining }) => {
    expect(nextPartSize(remaining, part_size)).toBe(next);
  },
);

test('files above 64 MiB go in parts', () => {
  expect(MULTIPART_ABOVE).toBe(misc.upload_multipart_threshold_bytes_exclusive);
});

test.each(misc.www_authenticate)('a challenge: $header', ({ header, error, type, ...parameters }) => {
  if (error !== undefined) {
    expect(chooseChallenge(header)).toBeUndefined();
    return;
  }
  expect(chooseChallenge(header)?.kind).toBe(type === 'bearer' ? 'token' : 'password');
  const [challenge] = parseChallenges(header);
  const filled = Object.entries(parameters).filter(([, value]) => value !== '');
  expect(challenge).toEqual({ scheme: type, parameters: Object.fromEntries(filled) });
});

/** Sizes that no answer can have; the original's parser took them, and nobody can send so much. */
const NO_SIZE = new Set(['', '-5']);

test.each(misc.content_length)('an answer with content-length "$value"', async ({ value, size, error }) => {
  const server = createServer((socket) => {
    socket.once('data', () =>
      socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${value}\r\n\r\n${'x'.repeat(2000)}`),
    );
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const asked = createHttp({ log: silentLog, retries: { pausesMs: [] } }).request({ method: 'GET', url });
  if (error === true || NO_SIZE.has(value)) await expect(asked).rejects.toThrow(NetworkError);
  else expect((await bytesOf(await asked)).length).toBe(size);
});

test('the hash of a file', async () => {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, misc.file_hash.content_utf8);
  const { digest, md5, size } = await checksumsOf(path);
  expect(hashOf(digest)).toBe(misc.file_hash.image_hash);
  expect([md5, size]).toEqual(['f640a9a3d0773b596c2aad9792ee94bf', 33]);
});

test('a file that is not there', async () => {
  await expect(checksumsOf(join(temporaryFolder(), 'none'))).rejects.toThrow(NotFoundError);
});
