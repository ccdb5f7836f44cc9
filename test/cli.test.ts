import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCli } from './helpers/cli.ts';
import { temporaryFolder } from './helpers/temporary.ts';

test.each([
  ['plan x.yaml --platform', '--platform has no value'],
  ['cache ls --cache-dir', '--cache-dir has no value'],
  ['plan x.yaml --nonsense', 'unknown option --nonsense'],
  ['plan x.yaml --mode wrong', '--mode "wrong": expected registry-first, local-first, online or offline'],
  ['plan', 'no COMPOSE-FILE is given'],
  ['--release', 'no COMPOSE-FILE is given'],
  ['bild', '"bild" is neither a command nor a file'],
  ['help bild', 'there is no command "bild"'],
])('%s: %s', async (line, message) => {
  const { code, stdout, stderr } = await runCli(line.split(' '));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`error: ${message}`);
  expect(stderr).toMatch(/^error: .+\n {2}try: .+\n$/);
});

test.each([
  [
    'a file where a folder is asked for',
    'cache ls --cache-dir /etc/hostname',
    'a part of the path is a file',
  ],
  ['a name that is too long', `inspect ${'x'.repeat(300)}`, 'the name is too long'],
  ['a file that can not be read', 'inspect /proc/self/mem', 'the disk reports an error'],
])('%s is the fault of the command line or the disk', async (_, line, message) => {
  const { code, stdout, stderr } = await runCli(line.split(' '));
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toContain(`: ${message}`);
  expect(stderr).toMatch(/^error: .+\n {2}try: .+\n$/);
});

test.each([
  ['the path of an include', 'include: ["${MENDER_PAT}/x.yaml"]'],
  ['the message of a required variable', 'services: {web: {image: "${NOPE:?${MENDER_PAT}}"}}'],
  ['an invalid image name', 'services: {web: {image: "http://:${MENDER_PAT}"}}'],
  ['a policy', 'services: {web: {image: a, pull_policy: "${MENDER_PAT}"}}'],
])('a secret of the build in %s is not printed', async (_, text) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), `${text}\n`);
  const secret = 'hunter2-hunter2';
  const { code, stdout, stderr } = await runCli(['plan', folder], { MENDER_PAT: secret, HOME: folder });
  expect(code).toBeGreaterThan(1);
  expect(stdout + stderr).not.toContain(secret);
});

test.each([
  [
    'an error of the command line',
    'plan x --nonsense --json',
    2,
    /did not|see mender-docker-delta help plan/,
  ],
  ['an error of a command', 'inspect no-such-file --json', 3, /check the name/],
])('%s is one JSON document with --json, and a line on stderr', async (_, line, exitCode, hint) => {
  const { code, stdout, stderr } = await runCli(line.split(' '));
  expect(JSON.parse(stdout)).toEqual({
    error: { message: expect.any(String) as string, hint: expect.stringMatching(hint) as string, exitCode },
  });
  expect(code).toBe(exitCode);
  expect(stderr).toMatch(/^error: /);
});

test.each(['--color=always', '--color always'])('%s colours errors', async (flag) => {
  const { stderr } = await runCli(['inspect', 'no-such-file', ...flag.split(' ')]);
  expect(stderr).toMatch(/^\u001b\[31merror:\u001b\[39m /);
});
