import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DeniedError, NotFoundError, ToolError, UsageError } from '../../../src/errors.ts';
import { throwTogether } from '../../../src/commands/terminal/throwTogether.ts';
import { runCli } from '../../helpers/cli.ts';
import { buildImage } from '../../helpers/images.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { makeShop } from './shop.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const tag of ['1', '2']) {
    await push(registry.host, 'shop/web', tag, buildImage({ layers: [{ base: 'base', app: tag }] }));
  }
});
afterAll(() => registry.stop());

const FLEET = [{ id: 'd1', type: 'qemu', group: 'staging', provides: {} }];

describe('before the first layer is fetched', () => {
  it('everything that is wrong is said at once', async () => {
    const server = await menderServer({ devices: FLEET });
    const { commit, on, artifact } = makeShop(server);
    commit('1.0.0', `${registry.host}/shop/web:1`);
    writeFileSync(artifact('file'), '');
    const flags = ['--release', '-g', 'nope', '-a', join(artifact('file'), 'x.mender')];
    const { code, stderr } = await on('ci', 'build', ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain('2 problems');
    expect(stderr).toMatch(/writing .*x\.mender/);
    expect(stderr).toContain('there is no device group nope');
    expect(stderr).toContain('use one of its groups: staging');
    expect(server.state.artifacts.size).toBe(0);
  });

  it.each<[string, string[], number, string]>([
    ['an unknown group', ['-g', 'nope'], 3, 'there is no device group nope'],
    ['unknown devices', ['--devices', 'd1,d2'], 3, 'there is no device d2'],
  ])('%s is an error', async (_, flags, exitCode, message) => {
    const server = await menderServer({ devices: FLEET });
    const { commit, on, artifact } = makeShop(server);
    commit('1.0.0', `${registry.host}/shop/web:1`);
    const { code, stderr } = await on('ci', 'build', '--release', '-a', artifact('one'), ...flags);
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(message)]);
    expect(server.calls.filter((call) => call.startsWith('POST') && call.includes('artifacts'))).toEqual([]);
  });

  it('a refused token is an error', async () => {
    const server = await menderServer({ devices: FLEET });
    const { commit, on, artifact } = makeShop({ ...server, token: 'wrong' });
    commit('1.0.0', `${registry.host}/shop/web:1`);
    const { code } = await on('ci', 'build', '--release', '--no-delta', '-a', artifact('one'));
    expect(code).toBe(4);
  });

  it('an artifact of the same name with other images is an error, and the same one is not', async () => {
    const server = await menderServer({ devices: FLEET });
    const { commit, on, artifact } = makeShop(server);
    commit('1.0.0', `${registry.host}/shop/web:1`);
    const build = (...flags: string[]) =>
      on('ci', 'build', '--release', '--no-delta', '-a', artifact('one'), ...flags);
    expect(await build()).toMatchObject({ code: 0 });
    expect(await build()).toMatchObject({ code: 0 });
    const { code, stderr } = await build('--force', '-i', `web=${registry.host}/shop/web:2`);
    expect([code, stderr]).toEqual([2, expect.stringContaining('has another artifact shop-1.0.0 already')]);
  });
});

describe('an artifact of the same name that depends on something else', () => {
  const setUp = async () => {
    const server = await menderServer({ devices: FLEET });
    const shop = makeShop(server);
    shop.commit('1.0.0', `${registry.host}/shop/web:1`);
    expect(
      await shop.on('ci', 'build', '--release', '--no-delta', '-a', shop.artifact('base')),
    ).toMatchObject({ code: 0 });
    shop.commit('2.0.0', `${registry.host}/shop/web:2`);
    expect(
      await shop.on('ci', 'build', '--release', '--no-delta', '-a', shop.artifact('full')),
    ).toMatchObject({ code: 0 });
    const delta = (...flags: string[]) =>
      shop.on(
        'ci',
        'build',
        '--release',
        '-a',
        shop.artifact('delta'),
        '--base',
        shop.artifact('base'),
        ...flags,
      );
    return { server, shop, delta };
  };

  it('is an error before the build, unless the server looks at what artifacts depend on', async () => {
    const { server, delta } = await setUp();
    const { code, stderr } = await delta();
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining('has another artifact shop-2.0.0, which depends on something else'),
    ]);
    expect(server.state.artifacts.size).toBe(2);
    expect(await delta('--server-kind', 'enterprise')).toMatchObject({ code: 0 });
    expect(server.state.artifacts.size).toBe(3);
  });

  it('is a warning of an upload', async () => {
    const { server, shop, delta } = await setUp();
    expect(await delta('--no-upload')).toMatchObject({ code: 0 });
    const { code, stderr } = await runCli(['upload', shop.artifact('delta')], {
      ...{ HOME: shop.folder, MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url },
    });
    expect([code, stderr]).toEqual([0, expect.stringContaining('warning: ')]);
    expect(stderr).toContain('has another artifact shop-2.0.0');
  });
});

describe('several problems', () => {
  it.each([
    [[], undefined, ''],
    [[new DeniedError('a')], 'DeniedError', 'a'],
    [[new NotFoundError('a'), new NotFoundError('b')], 'NotFoundError', '2 problems: a; b'],
    [[new NotFoundError('a'), new ToolError('b')], 'UsageError', '2 problems: a; b'],
  ])('%j are one', (problems, name, message) => {
    const run = () => throwTogether(problems);
    if (name === undefined) expect(run).not.toThrow();
    else expect(run).toThrow(expect.objectContaining({ name, message }) as UsageError);
  });

  it('keep the next steps of all', () => {
    const problems = [new UsageError('a', { hint: 'x' }), new UsageError('b', { hint: 'y' })];
    expect(() => throwTogether(problems)).toThrow(expect.objectContaining({ hint: 'x; y' }) as UsageError);
  });
});
