import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { OwnSecrets, ownSecretValues } from '../../../src/compose/read/variables/ownSecrets.ts';
import { refuseSecretsInFiles } from '../../../src/compose/ship/secretScan.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const SECRET = 'hunter2-hunter2';
const MIB = 1 << 20;

const local = (file: string, path = 'd/file') => ({ path, file, size: 0, mode: 0o644 });

/** Writes a file and looks for secrets in it. */
async function scan(content: Buffer, values: Record<string, string>): Promise<void> {
  const path = join(temporaryFolder(), 'file');
  writeFileSync(path, content);
  await refuseSecretsInFiles([local(path)], new OwnSecrets((name) => values[name]));
}

/** A file of this size with the secret at this place. */
function withSecret(size: number, at: number, value = SECRET): Buffer {
  const content = Buffer.alloc(size, 'x');
  content.write(value, at);
  return content;
}

describe('a file with a secret of the build is refused', () => {
  test.each<[string, Buffer, string]>([
    ['at the start', withSecret(100, 0), SECRET],
    ['at the end', withSecret(3 * MIB, 3 * MIB - SECRET.length), SECRET],
    ['at the start of a piece', withSecret(3 * MIB, MIB), SECRET],
    ['across two pieces', withSecret(3 * MIB, MIB - 1), SECRET],
    ['across two pieces, but for its last byte', withSecret(3 * MIB, 2 * MIB - SECRET.length + 1), SECRET],
    [
      'that is longer than a piece',
      withSecret(5 * MIB, 3 * MIB - 7, 'y'.repeat(1.5 * MIB)),
      'y'.repeat(1.5 * MIB),
    ],
    ['with blanks around its value', withSecret(100, 9), ` ${SECRET}\n`],
    ['of letters that are no ASCII', Buffer.from('pässwörd-pässwörd'), 'pässwörd-pässwörd'],
  ])('%s', async (_name, content, value) => {
    const failure = await scan(content, { GITHUB_TOKEN: value, MENDER_PAT: 'another-secret' }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(UsageError);
    expect(String(failure)).toContain('/file: GITHUB_TOKEN is a secret of the build and must not ship');
    expect(String(failure)).not.toContain(value.trim());
  });
});

describe('a secret of the build is found in another spelling', () => {
  const token = 'tok~"SECRET + VALUE/123456=';
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  test.each([
    ['Base64', base64(token)],
    ['Base64 without padding', base64(token).replace(/=+$/, '')],
    [
      'the header of a checkout',
      `\textraheader = AUTHORIZATION: basic ${base64(`x-access-token:${token}`)}\n`,
    ],
    ['an address', `https://host/?token=${encodeURIComponent(token)}`],
    ['a form', new URLSearchParams({ token }).toString()],
    [
      'an address with escapes in small letters',
      `https://host/?token=${encodeURIComponent(token).replace(/%../g, (code) => code.toLowerCase())}`,
    ],
    ['JSON', JSON.stringify({ token })],
    ['JSON with escaped slashes', JSON.stringify({ token }).replace('/', '\\/')],
  ])('%s', async (_, text) => {
    await expect(scan(Buffer.from(text), { GITHUB_TOKEN: token })).rejects.toThrow(
      'GITHUB_TOKEN is a secret',
    );
  });
});

describe('a file with credentials of DOCKER_AUTH_CONFIG is refused', () => {
  const auth = Buffer.from('user:hunter2-hunter2').toString('base64');
  const config = (entry: unknown) => JSON.stringify({ auths: { r: entry, s: 3, t: { auth: 7 } } });

  test.each<[string, string, string]>([
    ['the auth, in other JSON', `{ "auths": {"r":\n {"auth": "${auth}"}}}`, config({ auth })],
    ['the password in the auth', `password = ${SECRET}`, config({ auth })],
    ['a password', `password = ${SECRET}`, config({ username: 'u', password: SECRET })],
    ['a token', `token: ${SECRET}`, ` ${config({ identitytoken: SECRET })}\n`],
    ['another token', `token: ${SECRET}`, config({ registrytoken: SECRET })],
  ])('%s', async (_name, text, value) => {
    const refused = 'DOCKER_AUTH_CONFIG is a secret of the build and must not ship';
    await expect(scan(Buffer.from(text), { DOCKER_AUTH_CONFIG: value })).rejects.toThrow(refused);
  });

  test.each(['{', '{}', '{"auths": 3}', '{"auths": {"r": {"auth": ""}}}', '{"auths": {"r": null}}'])(
    'but not any file for %s',
    async (value) => {
      await expect(scan(Buffer.from('text'), { DOCKER_AUTH_CONFIG: value })).resolves.toBeUndefined();
    },
  );

  test('and its password is hidden in output', () => {
    const values = ownSecretValues({ DOCKER_AUTH_CONFIG: config({ auth }), MENDER_PAT: ' x ' });
    expect(values).toEqual(expect.arrayContaining([auth, SECRET, 'x']));
  });
});

test.each<[string, Buffer, Record<string, string>]>([
  ['without the value', withSecret(2 * MIB, MIB - 3, SECRET.slice(1)), { MENDER_PAT: SECRET }],
  ['with a value that is too short to tell', Buffer.from('x'), { MENDER_PAT: 'x' }],
  ['with the value of another variable', Buffer.from(SECRET), { DB_PASSWORD: SECRET }],
  ['that is empty', Buffer.alloc(0), { MENDER_PAT: SECRET }],
])('a file %s ships', async (_name, content, values) => {
  await expect(scan(content, values)).resolves.toBeUndefined();
});

test('no file is read if no secret has a value', async () => {
  const path = join(temporaryFolder(), 'missing');
  await expect(refuseSecretsInFiles([local(path)], new OwnSecrets(() => undefined))).resolves.toBeUndefined();
  await expect(refuseSecretsInFiles([local(path)], new OwnSecrets(() => SECRET))).rejects.toThrow(
    `reading ${path}`,
  );
});

test('a file with a secret of the build in its name is refused', async () => {
  const file = join(temporaryFolder(), 'empty');
  writeFileSync(file, '');
  const scanned = refuseSecretsInFiles([local(file, `d/${SECRET}/x`)], new OwnSecrets(() => SECRET));
  await expect(scanned).rejects.toThrow(
    'the name of a local file: MENDER_PAT is a secret of the build and must not ship',
  );
});
