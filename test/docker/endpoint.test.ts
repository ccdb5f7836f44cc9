import { describe, expect, it } from 'vitest';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findEndpoints } from '../../src/docker/context.ts';
import { formatEndpoint } from '../../src/docker/endpoint.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('where the daemon is looked for', () => {
  it.each([
    ['unix:///run/user/1000/docker.sock', { socketPath: '/run/user/1000/docker.sock' }],
    ['tcp://localhost:2375', { host: 'localhost', port: 2375 }],
    ['tcp://10.0.0.7', { host: '10.0.0.7', port: 2375 }],
    ['tcp://10.0.0.7:80', { host: '10.0.0.7', port: 80 }],
    ['tcp://[::1]:4243/', { host: '::1', port: 4243 }],
    ['http://build:2376', { host: 'build', port: 2376 }],
  ])('DOCKER_HOST=%s', async (host, endpoint) => {
    expect(await findEndpoints({ DOCKER_HOST: host, HOME: '/home/me' })).toEqual([endpoint]);
  });

  it.each([
    [{ DOCKER_CERT_PATH: '/certs' }, { host: 'build', port: 2375 }],
    [{ DOCKER_TLS_VERIFY: '' }, { host: 'build', port: 2375 }],
    [
      { DOCKER_TLS_VERIFY: '1', HOME: '/me' },
      { host: 'build', port: 2376, certificates: '/me/.docker' },
    ],
    [
      { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '', HOME: '/me' },
      { host: 'build', port: 2376, certificates: '/me/.docker' },
    ],
    [
      { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/certs' },
      { host: 'build', port: 2376, certificates: '/certs' },
    ],
  ])('tcp with %j', async (environment, endpoint) => {
    expect(await findEndpoints({ DOCKER_HOST: 'tcp://build', ...environment })).toEqual([endpoint]);
  });

  it.each([
    [{ DOCKER_HOST: 'ssh://me@build' }, UnsupportedError, 'ssh is not supported'],
    [{ DOCKER_HOST: 'npipe:////./pipe/docker_engine' }, UnsupportedError, 'npipe is not supported'],
    [{ DOCKER_HOST: 'localhost:2375' }, UsageError, 'is not the address of a daemon'],
    [{ DOCKER_HOST: 'unix://relative' }, UsageError, 'is not the address of a daemon'],
    [{ DOCKER_HOST: 'tcp://' }, UsageError, 'is not the address of a daemon'],
    [{ DOCKER_HOST: 'tcp://host/path' }, UsageError, 'is not the address of a daemon'],
  ])('%j is refused', async (environment, type, message) => {
    await expect(findEndpoints(environment)).rejects.toThrow(type);
    await expect(findEndpoints(environment)).rejects.toThrow(message);
  });

  it.each([
    [{}, ['unix:///var/run/docker.sock', 'unix:///run/podman/podman.sock']],
    [{ DOCKER_HOST: '' }, ['unix:///var/run/docker.sock', 'unix:///run/podman/podman.sock']],
    [
      { XDG_RUNTIME_DIR: '/run/user/7', HOME: '/home/me' },
      [
        'unix:///var/run/docker.sock',
        'unix:///run/user/7/docker.sock',
        'unix:///home/me/.docker/desktop/docker.sock',
        'unix:///run/podman/podman.sock',
        'unix:///run/user/7/podman/podman.sock',
      ],
    ],
  ])('%j', async (environment, expected) => {
    expect((await findEndpoints(environment)).map(formatEndpoint)).toEqual(expected);
  });
});

/** Docker's folder with one context, which is in use. */
function withContext(name: string, host: string, more: Record<string, string> = {}): string {
  const folder = temporaryFolder();
  const id = createHash('sha256').update(name).digest('hex');
  const files = {
    'config.json': JSON.stringify({ currentContext: name }),
    [`contexts/meta/${id}/meta.json`]: JSON.stringify({ Name: name, Endpoints: { docker: { Host: host } } }),
    ...Object.fromEntries(Object.entries(more).map(([path, text]) => [path.replace('ID', id), text])),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

describe('Docker contexts', () => {
  it('the one in use', async () => {
    const folder = withContext('lab', 'tcp://lab:2375');
    expect(await findEndpoints({ DOCKER_CONFIG: folder })).toEqual([{ host: 'lab', port: 2375 }]);
  });

  it('with TLS', async () => {
    const folder = withContext('lab', 'tcp://lab', { 'contexts/tls/ID/docker/ca.pem': '' });
    const [endpoint] = await findEndpoints({ DOCKER_CONFIG: folder });
    expect(endpoint).toMatchObject({
      port: 2376,
      certificates: expect.stringContaining('contexts/tls') as string,
    });
  });

  it('the one of DOCKER_CONTEXT, and DOCKER_HOST before it', async () => {
    const folder = withContext('lab', 'unix:///lab.sock', { 'config.json': '{}' });
    const environment = { DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'lab' };
    expect(await findEndpoints(environment)).toEqual([{ socketPath: '/lab.sock' }]);
    expect(await findEndpoints({ ...environment, DOCKER_HOST: 'unix:///own.sock' })).toEqual([
      { socketPath: '/own.sock' },
    ]);
  });

  it('the default context has no endpoint of its own', async () => {
    const folder = withContext('lab', 'unix:///lab.sock');
    expect(await findEndpoints({ DOCKER_CONFIG: folder, DOCKER_CONTEXT: 'default' })).toHaveLength(2);
  });

  it.each([
    ['unknown', {}, NotFoundError, 'the Docker context "none" does not exist'],
    [
      'over ssh',
      { DOCKER_CONTEXT: 'lab' },
      UnsupportedError,
      'context lab: ssh://build: ssh is not supported',
    ],
  ])('%s', async (_name, more, type, message) => {
    const environment = { DOCKER_CONFIG: withContext('lab', 'ssh://build'), DOCKER_CONTEXT: 'none', ...more };
    await expect(findEndpoints(environment)).rejects.toThrow(type);
    await expect(findEndpoints(environment)).rejects.toThrow(message);
  });
});
