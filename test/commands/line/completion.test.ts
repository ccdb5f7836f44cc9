import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { manual } from '../../../src/cli.ts';
import { COMMANDS } from '../../../src/commands/all.ts';
import { SHELLS, complete, completionScript } from '../../../src/commands/line/completion.ts';
import { GLOBAL_OPTIONS } from '../../../src/commands/line/globalOptions.ts';
import { runCli } from '../../helpers/cli.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

describe('completion', () => {
  it.each([
    ['dep', ['deploy', 'deployments'], undefined],
    ['ver', ['verify', 'version'], undefined],
    ['cache ', ['list', 'prune', 'verify', 'clear'], undefined],
    ['cache pr', ['prune'], undefined],
    ['build . --module d', ['docker-compose'], undefined],
    ['build . --artifact-v', ['--artifact-version'], undefined],
    ['build . --uplo', ['--upload', '--upload-only'], undefined],
    ['build . --no-uplo', ['--no-upload', '--no-upload-only'], undefined],
    ['build . --log-level w', ['warning'], undefined],
    ['build ./comp', [], undefined],
    ['deploy ', [], 'artifacts'],
    ['deploy app -g ', [], 'groups'],
  ])('of %j is %j', (line, words, ask) => {
    const found = complete(line.split(' '), COMMANDS, GLOBAL_OPTIONS);
    expect(found).toEqual({ words, ...(ask === undefined ? {} : { ask }) });
  });

  it('asks the server for groups, and goes on without it', async () => {
    const server = await menderServer();
    const line = ['completion', 'candidates', '--', 'deploy', 'app', '-g', ''];
    const environment = { MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: server.url };
    expect((await runCli(line, environment)).code).toBe(0);
    const gone = { ...environment, MENDER_DOCKER_DELTA_MENDER_HOST: 'http://127.0.0.1:1' };
    expect(await runCli(line, gone)).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each(SHELLS)('has a script that %s can read', async (shell) => {
    const { stdout } = await runCli(['completion', shell]);
    expect(stdout).toBe(completionScript(shell));
    const file = join(temporaryFolder(), 'script');
    writeFileSync(file, stdout);
    execFileSync(shell, ['-n', file]);
  });

  /**
   * What somebody types in a shell that has the script, and what then shows the words that it
   * offers.
   */
  const TAB: [string, (typeof SHELLS)[number], (folder: string) => string][] = [
    [
      'sourced',
      'bash',
      (folder) => `. ${folder}/script
COMP_WORDS=(mender-docker-delta build . --mod) COMP_CWORD=3
_mender_docker_delta
printf '%s\n' "\${COMPREPLY[@]}"`,
    ],
    [
      'in fpath, at the first Tab',
      'zsh',
      (folder) => `fpath=(${folder}/functions $fpath)
autoload -Uz compinit && compinit -u -d ${folder}/dump
compadd() { shift; printf '%s\n' "$@" }
words=(mender-docker-delta build . --mod) CURRENT=4
\${_comps[mender-docker-delta]}`,
    ],
    [
      'sourced',
      'zsh',
      (folder) => `autoload -Uz compinit && compinit -u -d ${folder}/dump
source ${folder}/script
compadd() { shift; printf '%s\n' "$@" }
words=(mender-docker-delta build . --mod) CURRENT=4
\${_comps[mender-docker-delta]}`,
    ],
    [
      'sourced',
      'fish',
      (folder) => `source ${folder}/script; complete -C 'mender-docker-delta build . --mod'`,
    ],
  ];
  it.each(TAB)('works %s in %s', (_, shell, typed) => {
    const folder = temporaryFolder();
    for (const below of ['bin', 'functions']) mkdirSync(join(folder, below));
    const program = join(folder, 'bin/mender-docker-delta');
    // It offers one word, which shows what the script hands over.
    writeFileSync(program, '#!/bin/sh\nIFS="|"\nprintf -- "--mod=%s\\n" "$*"\n');
    chmodSync(program, 0o755);
    for (const name of ['script', 'functions/_mender-docker-delta'])
      writeFileSync(join(folder, name), completionScript(shell));
    const bare = { bash: ['--norc'], zsh: ['-f'], fish: ['--no-config'] }[shell];
    const output = execFileSync(shell, [...bare, '-c', typed(folder)], {
      env: { PATH: `${folder}/bin:${process.env['PATH']!}`, HOME: folder },
      encoding: 'utf8',
    });
    const words = new Set(output.trim().split('\n'));
    expect([...words]).toEqual(['--mod=completion|candidates|--|build|.|--mod']);
  });
});

describe('the manual page', () => {
  it('is free of warnings, and has every command and option', () => {
    const page = manual();
    const result = execFileSync('groff', ['-man', '-Tascii', '-ww', '-P-cbou'], {
      input: page,
      encoding: 'utf8',
    });
    for (const { options, usage } of COMMANDS) {
      expect(result).toContain(usage.split(' ')[0]!.toUpperCase());
      const shown = Object.entries(options).filter(([, option]) => option.hidden !== true);
      for (const [name] of shown) expect(result).toContain(`--${name}`);
    }
  });
});
