import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArtifact } from '../../src/mender/read/read.ts';
import { signatureText } from '../../src/mender/signatureText.ts';
import { signWith } from '../../src/mender/signWith.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { requireTool } from '../helpers/tools.ts';

const MTIME = 1_700_000_000;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsa4096 = generateKeyPairSync('rsa', { modulusLength: 4096 });
const ecdsa = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** An unsigned artifact with a key pair next to it. */
function unsigned({ privateKey, publicKey }: typeof rsa): { path: string; key: string; pub: string } {
  const path = makeArtifact({ name: 'app-1' });
  const [key, pub] = [join(dirname(path), 'key.pem'), join(dirname(path), 'public.pem')];
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(pub, publicKey.export({ type: 'spki', format: 'pem' }));
  return { path, key, pub };
}

describe('a command that signs', () => {
  it.each<[string, typeof rsa, string]>([
    ['RSA', rsa, ''],
    ['RSA of 4096 bits, in base64', rsa4096, ' | base64'],
    ['ECDSA in DER', ecdsa, ''],
    ['ECDSA in DER, in base64', ecdsa, ' | base64 -w0'],
  ])('may be openssl: %s', async (_name, pair, after) => {
    requireTool('mender-artifact');
    const { path, key, pub } = unsigned(pair);
    const before = await readArtifact(path);
    await signWith(`openssl dgst -sha256 -sign ${key}${after}`, path, { mtime: MTIME });
    execFileSync('mender-artifact', ['validate', '-k', pub, path], { stdio: 'pipe' });
    const report = await readArtifact(path, { key: pair.publicKey });
    expect(report).toEqual({ ...before, size: report.size, signature: 'valid' });
    expect(execFileSync('tar', ['-tf', path], { encoding: 'utf8' }).split('\n').slice(0, 3)).toEqual([
      'version',
      'manifest',
      'manifest.sig',
    ]);
  });

  it('gets the manifest, and what it signed stays private', async () => {
    const { path, key } = unsigned(ecdsa);
    const manifest = execFileSync('tar', ['-xOf', path, 'manifest']);
    execFileSync('chmod', ['600', path]);
    const seen = join(dirname(path), 'seen');
    await signWith(`tee ${seen} | openssl dgst -sha256 -sign ${key}`, path, { mtime: MTIME });
    expect(readFileSync(seen)).toEqual(manifest);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each<[string, string, RegExp]>([
    ['that fails', 'echo no card >&2; exit 3', /failed: exit code 3: no card$/],
    ['that does not exist', '/nowhere/sign', /failed: exit code 127: .*not found/],
    ['that prints nothing', 'true', /printed 0 bytes, expected a signature with RSA or ECDSA P-256$/],
    ['that prints a text', 'echo signed it', /printed 10 bytes, expected a signature/],
    [
      'that prints hexadecimal digits',
      `printf '%0512d' 7`,
      /printed 512 bytes, expected a signature with RSA or ECDSA P-256$/,
    ],
    ['that prints the manifest', 'cat', /printed \d+ bytes, expected a signature/],
    ['that never ends to print', 'yes', /failed: it prints too much/],
    ['that ends without reading', 'exit 1', /failed: exit code 1$/],
  ])('%s is an error, and the artifact stays unsigned', async (_name, command, message) => {
    const { path } = unsigned(ecdsa);
    const before = readFileSync(path);
    await expect(signWith(command, path, { mtime: MTIME })).rejects.toThrow(message);
    expect(readFileSync(path)).toEqual(before);
  });

  it('is stopped with the build', async () => {
    const { path } = unsigned(ecdsa);
    const stopped = signWith('sleep 60', path, { mtime: MTIME, signal: AbortSignal.timeout(200) });
    await expect(stopped).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('a signature', () => {
  const bytes = Buffer.from('the manifest');

  it('of ECDSA is 64 bytes, also if r or s is short', () => {
    for (let round = 0; round < 600; round += 1) {
      const der = sign('sha256', bytes, ecdsa.privateKey);
      expect(Buffer.from(signatureText(der), 'base64')).toHaveLength(64);
    }
  });

  it.each([
    ['with a wrong length', 1, 0x40],
    ['without a number', 2, 0x03],
    ['with a first number that is too long', 3, 0x7f],
    ['without a second number', 4 + 32, 0x05],
  ])('in DER %s is refused', (_name, position, value) => {
    let der = sign('sha256', bytes, ecdsa.privateKey);
    while (der.length !== 70) der = sign('sha256', bytes, ecdsa.privateKey);
    der[position] = value;
    expect(() => signatureText(der)).toThrow('expected a signature');
  });
});
