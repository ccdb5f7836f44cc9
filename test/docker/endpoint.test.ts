import { describe, expect, it } from 'vitest';
import { endpointsOf, formatEndpoint } from '../../src/docker/endpoint.ts';
import { UnsupportedError, UsageError } from '../../src/errors.ts';

describe('where the daemon is looked for', () => {
  it.each([
    ['unix:///run/user/1000/docker.sock', { socketPath: '/run/user/1000/docker.sock' }],
    ['tcp://localhost:2375', { host: 'localhost', port: 2375 }],
    ['tcp://10.0.0.7', { host: '10.0.0.7', port: 2375 }],
    ['tcp://10.0.0.7:80', { host: '10.0.0.7', port: 80 }],
    ['tcp://[::1]:4243/', { host: '::1', port: 4243 }],
    ['http://build:2376', { host: 'build', port: 2376 }],
  ])('DOCKER_HOST=%s', (host, endpoint) => {
    expect(endpointsOf({ DOCKER_HOST: host, HOME: '/home/me' })).toEqual([endpoint]);
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
  ])('tcp with %j', (environment, endpoint) => {
    expect(endpointsOf({ DOCKER_HOST: 'tcp://build', ...environment })).toEqual([endpoint]);
  });

  it.each([
    [{ DOCKER_HOST: 'ssh://me@build' }, UnsupportedError, 'ssh is not supported'],
    [{ DOCKER_HOST: 'npipe:////./pipe/docker_engine' }, UnsupportedError, 'npipe is not supported'],
    [{ DOCKER_HOST: 'localhost:2375' }, UsageError, 'is no address of a daemon'],
    [{ DOCKER_HOST: 'unix://relative' }, UsageError, 'is no address of a daemon'],
    [{ DOCKER_HOST: 'tcp://' }, UsageError, 'is no address of a daemon'],
    [{ DOCKER_HOST: 'tcp://host/path' }, UsageError, 'is no address of a daemon'],
  ])('%j is refused', (environment, type, message) => {
    expect(() => endpointsOf(environment)).toThrow(type);
    expect(() => endpointsOf(environment)).toThrow(message);
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
  ])('%j', (environment, expected) => {
    expect(endpointsOf(environment).map(formatEndpoint)).toEqual(expected);
  });
});
