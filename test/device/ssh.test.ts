import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatDeviceAddress, parseDeviceAddress } from '../../src/device/address.ts';
import { sshShell } from '../../src/device/ssh.ts';
import { ToolError } from '../../src/errors.ts';
import type { SshServer } from '../helpers/sshServer.ts';
import { sshServer } from '../helpers/sshServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('the address of a device', () => {
  it.each([
    ['ssh://root@pi.local', { user: 'root', host: 'pi.local', port: undefined }],
    ['ssh://pi', { user: undefined, host: 'pi', port: undefined }],
    ['ssh://root@10.0.0.7:2222', { user: 'root', host: '10.0.0.7', port: 2222 }],
    ['ssh://root@[fe80::1]:22', { user: 'root', host: 'fe80::1', port: 22 }],
  ])('%s', (text, address) => {
    expect(parseDeviceAddress(text, '--to')).toEqual(address);
    expect(formatDeviceAddress(address)).toBe(text.replace('ssh://', ''));
  });

  it.each([
    '',
    'pi',
    'ssh://',
    'ssh://-oProxyCommand=touch x',
    'ssh://-oProxyCommand=x@pi',
    'ssh://root@-v',
    'ssh://root@pi:0',
    'ssh://root@pi:70000',
    'ssh://root@pi:22;id',
    'ssh://root@pi$(id)',
    'ssh://root:password@pi',
    'ssh://root@pi/etc',
    'ssh://ro ot@pi',
    'http://pi',
  ])('refuses %j', (text) => {
    expect(() => parseDeviceAddress(text, '--to')).toThrow('expected ssh://[USER@]HOST[:PORT]');
  });
});

describe('a shell over ssh', () => {
  let server: SshServer;
  beforeAll(async () => {
    server = await sshServer('exec sh -c "$SSH_ORIGINAL_COMMAND"');
  });
  afterAll(() => server.stop());
  const shell = () => sshShell(parseDeviceAddress(server.url, '--to'), server.program);
  const run = (input: { text: string } | { file: string }, ...words: string[]) =>
    shell().run({ doing: 'testing', words, input });

  it('runs a script that arrives on stdin, with its words', async () => {
    const { exitCode, stdout } = await run({ text: 'echo "$1"; exit 0' }, 'sh', '-s', '--', 'one');
    expect([exitCode, stdout]).toEqual([0, 'one']);
  });

  it('sends a file as it is', async () => {
    const file = join(temporaryFolder(), 'bytes');
    writeFileSync(file, Buffer.from([0, 1, 255, 10, 13]));
    expect((await run({ file }, 'od -An -tx1')).stdout.trim()).toBe('00 01 ff 0a 0d');
  });

  it('tells the exit code of the command, and both streams line by line', async () => {
    const lines: string[] = [];
    const input = { text: 'echo out; echo err >&2; exit 7' };
    const result = await shell().run({
      doing: 'x',
      words: ['sh', '-s'],
      input,
      onLine: (l) => lines.push(l),
    });
    expect([result.exitCode, lines.sort()]).toEqual([7, ['err', 'out']]);
  });

  it.each([
    ['lines', 'yes abcdefghijklmnopqrstuvwxyz'],
    ['one line', "tr '\\0' A < /dev/zero"],
  ])('ends at an answer without end, of %s', async (_name, script) => {
    const error = await run({ text: script }, 'sh', '-s').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ToolError);
    expect((error as Error).message).toMatch(/^testing .*: expected at most 1048576 characters of output/);
    expect(inspect(error).length).toBeLessThan(10_000);
  });

  it.each([
    ['lines', 'yes abcdefghijklmnopqrstuvwxyz'],
    ['one line', "tr '\\0' A < /dev/zero"],
  ])('is interrupted within a log without end, of %s', async (_name, script) => {
    const stop = new AbortController();
    let [lines, longest] = [0, 0];
    const onLine = (line: string): void => {
      // A timer, as a signal of the system, is served between the lines.
      if (lines++ === 0) setTimeout(() => stop.abort(new Error('enough')), 100);
      longest = Math.max(longest, line.length);
    };
    const words = ['sh', '-s'];
    const running = shell().run({ doing: 'x', words, input: { text: script }, onLine, signal: stop.signal });
    await expect(running).rejects.toThrow('enough');
    expect(lines).toBeGreaterThan(0);
    expect(longest).toBeLessThan(1 << 17);
  });

  it('keeps the end of a long log', async () => {
    let lines = 0;
    const input = { text: 'seq 20000; echo "runs: web"; exit 3' };
    const result = await shell().run({ doing: 'x', words: ['sh', '-s'], input, onLine: () => lines++ });
    expect([result.exitCode, lines]).toEqual([3, 20_001]);
    expect(result.all.split('\n').slice(-2)).toEqual(['20000', 'runs: web']);
    expect(result.all.length).toBeLessThan(20_000);
  });

  it('cuts what ssh says', async () => {
    const program = join(temporaryFolder(), 'ssh');
    writeFileSync(program, '#!/bin/sh\nyes E | head -c 300000 >&2\nexit 255\n', { mode: 0o755 });
    const asking = sshShell({ user: 'root', host: 'pi', port: undefined }, program);
    const asked = asking.run({ doing: 'asking', words: ['true'], input: { text: '' } });
    const said = await asked.then(() => '', String);
    expect(said.length).toBeLessThan(1200);
  });

  it('fails with what ssh says if nobody answers', async () => {
    const nobody = sshShell({ user: 'root', host: '127.0.0.1', port: 1 }, server.program);
    const asking = nobody.run({ doing: 'asking', words: ['true'], input: { text: '' } });
    await expect(asking).rejects.toThrow(/asking root@127.0.0.1:1: .*refused/);
  });

  it('fails if the host key is not known', async () => {
    const stranger = sshShell({ user: 'root', host: 'localhost', port: server.port }, server.program);
    const asking = stranger.run({ doing: 'asking', words: ['true'], input: { text: '' } });
    await expect(asking).rejects.toThrow('Host key verification failed');
  });

  it('says how to install ssh', async () => {
    const none = sshShell(parseDeviceAddress(server.url, '--to'), '/nonexistent/ssh');
    const asking = none.run({ doing: 'asking', words: ['true'], input: { text: '' } });
    await expect(asking).rejects.toThrow('the program ssh is not on PATH');
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const input = { text: 'sleep 60' };
    const running = shell().run({ doing: 'x', words: ['sh', '-s'], input, signal: controller.signal });
    setTimeout(() => controller.abort(new Error('stopped')), 500);
    await expect(running).rejects.toThrow('stopped');
  });
});
