import { describe, expect, test } from 'vitest';
import { DeniedError, NetworkError, NotFoundError, UnsupportedError, UsageError } from '../../src/errors.ts';
import { deployArtifact } from '../../src/pipeline/release/deploy.ts';
import type { DeployRequest } from '../../src/pipeline/release/deploy.ts';
import { uploadArtifact } from '../../src/pipeline/release/upload.ts';
import { watchDeployment } from '../../src/pipeline/release/watch.ts';
import { abortDeployment } from '../../src/server/deployments.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { simulateDevice } from '../helpers/menderServer/device.ts';
import type { Behaviour } from '../helpers/menderServer/device.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import type { MenderServer } from '../helpers/menderServer/menderServer.ts';
import type { Device, ServerOptions } from '../helpers/menderServer/state.ts';
import { callsOf, contextOf } from './fixture.ts';

const CREATE = /^POST .*\/deployments(\/group\/.*)?$/;
const REQUEST: DeployRequest = {
  name: 'app-1',
  artifactName: 'app-1',
  target: { kind: 'group', group: 'staging' },
  force: false,
};

function device(id: string, more: Partial<Device> = {}): Device {
  return { id, type: 'qemu', group: 'staging', provides: {}, ...more };
}

async function serverWithArtifact(options: ServerOptions = {}): Promise<MenderServer> {
  const server = await menderServer({ devices: [device('d1'), device('d2')], ...options });
  await uploadArtifact({ path: makeArtifact({ name: 'app-1' }) }, contextOf(server));
  return server;
}

describe('creating a deployment', () => {
  test.each([
    ['a group', { kind: 'group', group: 'staging' }, ['d1', 'd2']],
    ['devices', { kind: 'devices', devices: ['d2'] }, ['d2']],
    ['all devices', { kind: 'all' }, ['d1', 'd2']],
  ] as const)('for %s', async (_, target, targets) => {
    const server = await serverWithArtifact();
    const { id, joined } = await deployArtifact({ ...REQUEST, target }, contextOf(server));
    expect(joined).toBe(false);
    expect(server.state.deployments.get(id)?.targets).toEqual(targets);
    const again = await deployArtifact({ ...REQUEST, target }, contextOf(server));
    expect(again).toEqual({ id, joined: true });
  });

  const [FIRST, SECOND] = ['5d1f00aa-0000-4000-8000-000000000001', '5d1f00aa-0000-4000-8000-000000000002'];
  const OTHER = '7e2f00bb-0000-4000-8000-000000000003';
  const withUuids = { devices: [FIRST, SECOND, OTHER].map((id) => device(id)) };

  test.each([
    ['a whole id', FIRST, [FIRST]],
    ['the eight digits that tables show', '7e2f00bb', [OTHER]],
    ['capitals', '7E2F00BB', [OTHER]],
    ['the digits that tell two apart', '5d1f00aa-0000-4000-8000-000000000002', [SECOND]],
  ])('for a device by %s', async (_, id, targets) => {
    const server = await serverWithArtifact(withUuids);
    const target = { kind: 'devices', devices: [id] } as const;
    const created = await deployArtifact({ ...REQUEST, target }, contextOf(server));
    expect(server.state.deployments.get(created.id)?.targets).toEqual(targets);
  });

  test.each([
    ['a device that is not there', '00000001', NotFoundError, /there is no device 00000001 on/],
    ['too few digits', '7e2f', NotFoundError, /there is no device 7e2f on/],
    ['digits of two devices', '5d1f00aa', UsageError, /2 devices or more .* begins with 5d1f00aa/],
  ])('for %s is refused before anything is created', async (_, id, type, message) => {
    const server = await serverWithArtifact(withUuids);
    const target = { kind: 'devices', devices: [FIRST, id] } as const;
    const deployed = deployArtifact({ ...REQUEST, target }, contextOf(server));
    await expect(deployed).rejects.toThrow(type);
    await expect(deployed).rejects.toThrow(message);
    expect(callsOf(server, CREATE)).toBe(0);
  });

  test('for devices takes ids as they are without the right to read the inventory', async () => {
    const server = await serverWithArtifact(withUuids);
    server.faults.plan(/inventory/, { kind: 'status', status: 403 }, 9);
    const target = { kind: 'devices', devices: [FIRST] } as const;
    const created = await deployArtifact({ ...REQUEST, target }, contextOf(server));
    expect(server.state.deployments.get(created.id)?.targets).toEqual([FIRST]);
  });

  test.each([
    ['an unknown artifact', { artifactName: 'none' }, NotFoundError, /422/],
    [
      'an unknown group',
      { target: { kind: 'group', group: 'nobody' } },
      NotFoundError,
      /no device group nobody/,
    ],
    ['a blank name', { name: '' }, UsageError, /400.*cannot be blank \(request id/],
    ['Enterprise options', { enterprise: { retries: 2 } }, UnsupportedError, /need Mender Enterprise/],
  ] as const)('refuses %s', async (_, more, type, message) => {
    const server = await serverWithArtifact();
    const deployed = deployArtifact({ ...REQUEST, ...more }, contextOf(server));
    await expect(deployed).rejects.toThrow(type);
    await expect(deployed).rejects.toThrow(message);
    expect(server.state.deployments.size).toBe(0);
  });

  test('passes Enterprise options on, where the server has them', async () => {
    const server = await serverWithArtifact({ enterprise: true });
    const enterprise = { phases: [{ batch_size: 10 }, {}], retries: 2, updateControlMap: { priority: 1 } };
    const target = { kind: 'devices', devices: ['d1'] } as const;
    const { id } = await deployArtifact({ ...REQUEST, target, enterprise }, contextOf(server));
    const { targets, extras } = server.state.deployments.get(id)!;
    expect(targets).toEqual(['d1']);
    expect(extras).toMatchObject({
      phases: enterprise.phases,
      retries: 2,
      update_control_map: { priority: 1 },
    });
  });

  test.each([
    ['cutBefore', 2],
    ['cutAfter', 1],
  ] as const)('makes one deployment in spite of a broken connection (%s)', async (kind, posts) => {
    const server = await serverWithArtifact();
    const old = await deployArtifact(REQUEST, contextOf(server));
    await abortDeployment(contextOf(server).api, old.id);
    const before = callsOf(server, CREATE);
    server.faults.plan(CREATE, { kind });
    const { id } = await deployArtifact(REQUEST, contextOf(server));
    expect([...server.state.deployments.keys()]).toEqual([old.id, id]);
    expect(callsOf(server, CREATE) - before).toBe(posts);
  });

  test('leaves a server alone that asks for a long pause', async () => {
    const server = await serverWithArtifact();
    server.faults.plan(CREATE, { kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    await expect(deployArtifact(REQUEST, contextOf(server))).rejects.toThrow(NetworkError);
    expect(callsOf(server, CREATE)).toBe(1);
  });

  test('a refused token', async () => {
    const server = await serverWithArtifact();
    server.state.tokens.clear();
    await expect(deployArtifact(REQUEST, contextOf(server))).rejects.toThrow(DeniedError);
  });
});

const GOOD: Behaviour = { outcome: 'success' };
const BAD: Behaviour = { outcome: 'failure', log: ['no space left', 'rolled back'] };
const WATCH = { timeoutMs: 20_000, intervalMs: 20, abortOnFailure: false };

async function deployTo(server: MenderServer, more: Partial<DeployRequest> = {}) {
  const context = contextOf(server);
  const { id } = await deployArtifact({ ...REQUEST, ...more }, context);
  return { id, context };
}

describe('waiting for a deployment', () => {
  test('success, with the counters as they change', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    for (const one of ['d1', 'd2']) simulateDevice(server, device(one), GOOD);
    const seen: unknown[] = [];
    const report = await watchDeployment(
      { ...WATCH, id },
      { ...context, onChange: (now) => void seen.push({ ...now }) },
    );
    expect(report).toMatchObject({ finished: true, deviceCount: 2, outcome: { kind: 'success' }, logs: {} });
    expect(report.devices.map(({ id: one, status }) => [one, status]).sort()).toEqual([
      ['d1', 'success'],
      ['d2', 'success'],
    ]);
    expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(seen.length);
    expect(seen.at(-1)).toMatchObject({ success: 2, pending: 0 });
  });

  test('failures, with the log of each failed device', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    simulateDevice(server, device('d1'), GOOD);
    simulateDevice(server, device('d2'), BAD);
    const report = await watchDeployment({ ...WATCH, id }, context);
    expect(report.outcome).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('1 of 2 devices') as string,
    });
    expect(report.logs).toEqual({ d2: expect.stringMatching(/no space left\n.*rolled back/) as string });
  });

  test('aborts at the first failure where asked to', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    simulateDevice(server, device('d2'), BAD);
    const report = await watchDeployment({ ...WATCH, id, abortOnFailure: true }, context);
    expect(report).toMatchObject({ finished: true, aborted: true, outcome: { kind: 'failed' } });
    expect(server.state.deployments.get(id)?.aborted).toBe(true);
  });

  test('aborted by somebody else', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    await abortDeployment(context.api, id);
    const report = await watchDeployment({ ...WATCH, id }, context);
    expect(report.outcome.kind).toBe('aborted');
    expect(await abortDeployment(context.api, id)).toBe(false);
  });

  test('never started, not finished in time', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    const brief = { ...WATCH, id, timeoutMs: 60 };
    expect((await watchDeployment(brief, context)).outcome.kind).toBe('never-started');
    simulateDevice(server, device('d1'), GOOD);
    await expect.poll(() => server.state.deployments.get(id)!.reports.get('d1')?.status).toBe('success');
    expect((await watchDeployment(brief, context)).outcome.kind).toBe('timed-out');
  });

  test('an open-source server hands out the smallest artifact, an Enterprise server the one that fits', async () => {
    const given = async (enterprise: boolean) => {
      const server = await menderServer({ enterprise, devices: [device('d1')] });
      const context = contextOf(server);
      await uploadArtifact({ path: makeArtifact({ name: 'app-1', payload: 50_000 }) }, context);
      const depends = { 'app.version': '7' };
      const small = await uploadArtifact({ path: makeArtifact({ name: 'app-1', depends }) }, context);
      const { id } = await deployTo(server);
      simulateDevice(server, device('d1'), GOOD);
      await watchDeployment({ ...WATCH, id }, context);
      return server.state.deployments.get(id)!.reports.get('d1')!.artifact === small.id ? 'delta' : 'full';
    };
    expect(await given(false)).toBe('delta');
    expect(await given(true)).toBe('full');
  });

  test('keeps waiting while the server is out of order, until the timeout', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    for (const one of ['d1', 'd2']) simulateDevice(server, device(one), GOOD);
    const look = /^GET .*\/deployments\/[0-9a-f-]{36}$/;
    server.faults.plan(look, { kind: 'status', status: 503 }, 4);
    const report = await watchDeployment({ ...WATCH, id }, context);
    expect(report.outcome.kind).toBe('success');
    expect(context.lines.join('\n')).toContain(`still waiting for deployment ${id}`);
    server.faults.plan(look, { kind: 'cutBefore' }, 99);
    await expect(watchDeployment({ ...WATCH, id, timeoutMs: 50 }, context)).rejects.toThrow(NetworkError);
  });

  test('aborts once the server is there again', async () => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    simulateDevice(server, device('d2'), BAD);
    server.faults.plan(/^PUT .*\/management\/.*\/status$/, { kind: 'status', status: 503 }, 4);
    const report = await watchDeployment({ ...WATCH, id, abortOnFailure: true }, context);
    expect(report).toMatchObject({ aborted: true, outcome: { kind: 'failed' } });
  });

  test.each([
    ['the devices', /devices\/list$/, 503],
    ['the logs', /\/log$/, 403],
  ])('says how it ended though %s can not be read', async (_, call, status) => {
    const server = await serverWithArtifact();
    const { id, context } = await deployTo(server);
    simulateDevice(server, device('d1'), BAD);
    simulateDevice(server, device('d2'), GOOD);
    server.faults.plan(new RegExp(`^GET .*management.*${call.source}`), { kind: 'status', status }, 99);
    const report = await watchDeployment({ ...WATCH, id }, context);
    expect(report).toMatchObject({ outcome: { kind: 'failed' }, logs: {} });
    expect(context.lines.join('\n')).toContain(`answered ${status}`);
  });

  test('stops at once when interrupted', async () => {
    const server = await serverWithArtifact();
    const { id } = await deployTo(server);
    const interruption = new AbortController();
    const context = contextOf(server, interruption.signal);
    const watch = watchDeployment({ ...WATCH, id, intervalMs: 60_000 }, context);
    await expect.poll(() => callsOf(server, /statistics/)).toBe(1);
    interruption.abort(new Error('stop'));
    await expect(watch).rejects.toThrow('stop');
  });
});
