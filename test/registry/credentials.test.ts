import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { messageOf } from '../../src/errors.ts';
import { redact } from '../../src/io/redact.ts';
import { dockerCredentials } from '../../src/registry/credentials.ts';
import type { CredentialLocation } from '../../src/registry/credentialFiles.ts';
import { credentialLocation } from '../../src/registry/credentialFiles.ts';
import type { ImageRepository } from '../../src/registry/endpoint.ts';
import type { RegistryCredentials } from '../../src/registry/token.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

afterEach(() => vi.unstubAllEnvs());

const password: RegistryCredentials = { kind: 'password', username: 'user', password: 'pass:word' };
const auth = btoa('user:pass:word');

/** A repository at a registry, or at `host/path`. */
function of(name: string): ImageRepository {
  const [registry = '', ...path] = name.split('/');
  return { registry, repository: path.join('/') || 'team/app' };
}

function lookUp(config: unknown, registry: string): Promise<RegistryCredentials | undefined> {
  const json = typeof config === 'string' ? config : JSON.stringify(config);
  return dockerCredentials({ folder: '/nowhere', json })(of(registry));
}

describe('auths', () => {
  test.each<[string, unknown, string, RegistryCredentials | undefined]>([
    ['auth', { auths: { 'r.example.com': { auth } } }, 'r.example.com', password],
    ['with a port', { auths: { 'localhost:5000': { auth } } }, 'localhost:5000', password],
    ['another port', { auths: { 'localhost:5000': { auth } } }, 'localhost:5001', undefined],
    ['another host', { auths: { 'r.example.com': { auth } } }, 'example.com', undefined],
    ['a URL', { auths: { 'https://r.example.com/v2/': { auth } } }, 'r.example.com', password],
    ['Docker Hub', { auths: { 'https://index.docker.io/v1/': { auth } } }, 'docker.io', password],
    ['Docker Hub, short', { auths: { 'docker.io': { auth } } }, 'docker.io', password],
    ['user and password', { auths: { r: { username: 'user', password: 'pass:word' } } }, 'r', password],
    [
      'an identity token',
      { auths: { r: { auth, identitytoken: 'idtok' } } },
      'r',
      { kind: 'identity', token: 'idtok' },
    ],
    [
      'a registry token',
      { auths: { r: { registrytoken: 'regtok' } } },
      'r',
      { kind: 'registry', token: 'regtok' },
    ],
    ['padded with NULs', { auths: { r: { auth: btoa('user:pass:word\0\0') } } }, 'r', password],
    ['an empty entry', { auths: { r: {} } }, 'r', undefined],
    ['a key above the repository', { auths: { 'r/team': { auth } } }, 'r/team/app', password],
    ['a key that is the repository', { auths: { 'r/team/app': { auth } } }, 'r/team/app', password],
    ['a key of another project', { auths: { 'r/secret': { auth } } }, 'r/team/app', undefined],
    ['a key that only begins alike', { auths: { 'r/tea': { auth } } }, 'r/team/app', undefined],
    ['a key below the repository', { auths: { 'r/team/app/x': { auth } } }, 'r/team/app', undefined],
    [
      'the longest of several keys',
      { auths: { r: { auth: btoa('a:b') }, 'r/team/app': { auth }, 'r/team': { auth: btoa('c:d') } } },
      'r/team/app',
      password,
    ],
    [
      'the host, next to a key of another project',
      { auths: { 'r/secret': { auth: btoa('a:b') }, r: { auth } } },
      'r/team/app',
      password,
    ],
    ['an old key', { auths: { 'index.docker.io/v1/': { auth } } }, 'docker.io', password],
    ['no auths', {}, 'r', undefined],
    ['odd auths', { auths: [], credHelpers: 7, credsStore: '' }, 'r', undefined],
  ])('%s', async (_name, config, registry, expected) => {
    expect(await lookUp(config, registry)).toEqual(expected);
  });

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{"auths": s3cret', /^DOCKER_CONFIG_JSON: expected a JSON object$/],
    ['a list', '[]', /expected a JSON object/],
    [
      'auth that is not the base64 of a pair',
      { auths: { r: { auth: 's3cret' } } },
      /^Docker's config.json: auth of r is not/,
    ],
    ['a helper with a path', { credsStore: '../evil' }, /is not the name of a credential helper/],
  ])('refused: %s', async (_name, config, message) => {
    await expect(lookUp(config, 'r')).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringMatching(message) as string,
    });
  });
});

/** The path of a new file with a password for one registry. */
function store(name: string, registry: string, secret = 'pass:word'): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, JSON.stringify({ auths: { [registry]: { auth: btoa(`user:${secret}`) } } }));
  return path;
}

describe('the files', () => {
  const docker = (): string => dirname(store('config.json', 'r'));

  test.each<[string, () => Partial<CredentialLocation>, string, RegistryCredentials | undefined]>([
    ["podman's", () => ({ authFiles: ['/none', store('auth.json', 'q')] }), 'q', password],
    ["Docker's before podman's", () => ({ authFiles: [store('auth.json', 'r', 'x')] }), 'r', password],
    [
      'the named one first',
      () => ({ authFile: store('a.json', 'r', 'named') }),
      'r',
      { kind: 'password', username: 'user', password: 'named' },
    ],
    ["Docker's after the named one", () => ({ authFile: store('a.json', 'q') }), 'r', password],
    ['content before any file', () => ({ json: '{}', authFile: '/none' }), 'r', undefined],
  ])('%s', async (_name, location, registry, expected) => {
    const lookUpIn = dockerCredentials({ folder: docker(), ...location() });
    expect(await lookUpIn(of(registry))).toEqual(expected);
  });

  test('the named one must exist', async () => {
    const lookingUp = dockerCredentials({ folder: docker(), authFile: '/none/auth.json' })(of('r'));
    await expect(lookingUp).rejects.toThrow('REGISTRY_AUTH_FILE /none/auth.json: no such file');
  });

  test('DOCKER_CONFIG names the folder', async () => {
    const parent = docker();
    const folder = join(parent, 'config.json');
    await expect(dockerCredentials({ folder })(of('r'))).rejects.toMatchObject({
      name: 'UsageError',
      message: `DOCKER_CONFIG ${folder}: expected the folder of config.json, found a file`,
      hint: `set DOCKER_CONFIG=${parent}`,
    });
  });

  test('are where Docker and podman keep them', () => {
    expect(credentialLocation({ DOCKER_CONFIG: '', XDG_RUNTIME_DIR: '/run/user/1' }, '/home/me')).toEqual({
      folder: '/home/me/.docker',
      json: undefined,
      authFile: undefined,
      authFiles: ['/run/user/1/containers/auth.json', '/home/me/.config/containers/auth.json'],
    });
    const environment = {
      DOCKER_CONFIG: '/c',
      DOCKER_CONFIG_JSON: '{}',
      REGISTRY_AUTH_FILE: '/a',
      XDG_CONFIG_HOME: '/x',
    };
    expect(credentialLocation(environment, '/home/me')).toEqual({
      folder: '/c',
      json: '{}',
      authFile: '/a',
      authFiles: ['/x/containers/auth.json'],
    });
  });
});

describe('the file', () => {
  test('is read from the folder', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { r: { auth } } }));
    expect(await dockerCredentials({ folder })(of('r'))).toEqual(password);
  });

  test('need not be there', async () => {
    expect(await dockerCredentials({ folder: join(temporaryFolder(), 'none') })(of('r'))).toBeUndefined();
  });

  test('is named when it is malformed', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'config.json'), '{');
    await expect(dockerCredentials({ folder })(of('r'))).rejects.toThrow(`${folder}/config.json: expected`);
  });
});

/**
 * Puts `docker-credential-test` on PATH, which answers what `script` prints; `$server` is what it
 * was asked for.
 */
function withHelper(script: string): void {
  const folder = temporaryFolder();
  const path = join(folder, 'docker-credential-test');
  writeFileSync(path, `#!/bin/sh\nserver=$(cat)\n${script}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
}

const SAYS = `printf '{"ServerURL":"%s","Username":"%s","Secret":"%s"}'`;

describe('credential helpers', () => {
  const store = { credsStore: 'test', auths: { r: { auth } } };
  test.each<[string, string, unknown, string, RegistryCredentials | undefined]>([
    [
      'the store',
      `${SAYS} "$server" "$server" pw-of-$1`,
      store,
      'r',
      { kind: 'password', username: 'r', password: 'pw-of-get' },
    ],
    [
      'Docker Hub',
      `${SAYS} x "$server" pw`,
      store,
      'docker.io',
      { kind: 'password', username: 'https://index.docker.io/v1/', password: 'pw' },
    ],
    ['an identity token', `${SAYS} x '<token>' idtok`, store, 'r', { kind: 'identity', token: 'idtok' }],
    ['none stored, so auths', 'echo credentials not found in native keychain; exit 1', store, 'r', password],
    ['none at all', 'echo credentials not found in native keychain; exit 1', store, 'q', undefined],
    [
      'the helper of one registry',
      `${SAYS} x me pw`,
      { credHelpers: { r: 'test' } },
      'r',
      { kind: 'password', username: 'me', password: 'pw' },
    ],
    ['the helper of another registry', `${SAYS} x me pw`, { credHelpers: { r: 'test' } }, 'q', undefined],
    [
      'its own helper before the store',
      `${SAYS} x me pw`,
      { credsStore: 'gone', credHelpers: { r: 'test' } },
      'r',
      { kind: 'password', username: 'me', password: 'pw' },
    ],
  ])('%s', async (_name, script, config, registry, expected) => {
    withHelper(script);
    expect(await lookUp(config, registry)).toEqual(expected);
  });

  test.each<[string, string, unknown, RegExp]>([
    [
      'missing',
      'exit 0',
      { credsStore: 'surely-not-there' },
      /^docker-credential-surely-not-there, .* is not installed/,
    ],
    ['fails', 'echo keychain is locked >&2; exit 1', store, /failed: keychain is locked/],
    [
      'lacks a program of its own',
      `echo 'exec: "pass": executable file not found in $PATH'; exit 1`,
      store,
      /failed: exec: "pass": executable file not found/,
    ],
    ['talks nonsense', 'echo hello', store, /expected JSON with Username and Secret/],
  ])('refused: a helper that %s', async (_name, script, config, message) => {
    withHelper(script);
    await expect(lookUp(config, 'r')).rejects.toMatchObject({
      name: 'ToolError',
      message: expect.stringMatching(message) as string,
    });
  });

  test('the secret of a helper that fails after all is not shown', async () => {
    withHelper(`${SAYS} x me said-and-failed; exit 1`);
    const error: unknown = await lookUp(store, 'r').catch((thrown: unknown) => thrown);
    expect(redact(messageOf(error))).toMatch(/failed: .*"Secret":"\*\*\*"/);
  });

  test('a helper is asked once per registry', async () => {
    const counter = join(temporaryFolder(), 'count');
    withHelper(`echo >> ${counter}; ${SAYS} x me pw`);
    const credentials = dockerCredentials({ folder: '/nowhere', json: '{"credsStore":"test"}' });
    await Promise.all([credentials(of('r')), credentials(of('r/other'))]);
    expect(readFileSync(counter, 'utf8')).toBe('\n');
  });
});
