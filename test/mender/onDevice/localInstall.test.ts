import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localFolder, localInstallScript } from '../../../src/mender/onDevice/localInstall.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';

/** Logs for half a second, and notes what it was asked and what it has finished. */
const CLIENT = `#!/bin/sh
echo "$1" >> "$CALLS"
for line in 1 2 3 4 5; do echo "line $line"; echo "error $line" >&2; sleep 0.1; done
echo "$1 has ended" >> "$CALLS"
case $1 in install) exit "$INSTALL" ;; commit) exit "$COMMIT" ;; esac
`;
const DOCKER = '#!/bin/sh\necho "runs: web web:1 Up"\n';

interface Run {
  code: number | null;
  output: string;
  calls: string[];
  /** The artifact's folder is still there. */
  isLeft: boolean;
}

/** Runs the script as ssh does. A connection that `breaks` is gone after the first output. */
async function run(
  shell: string,
  { install = 0, commit = 0, breaks = false }: { install?: number; commit?: number; breaks?: boolean },
): Promise<Run> {
  const home = temporaryFolder();
  const [folder, tools, calls] = [join(home, 'artifact'), join(home, 'bin'), join(home, 'calls')];
  for (const one of [folder, tools]) mkdirSync(one);
  for (const [name, text] of Object.entries({ 'mender-update': CLIENT, docker: DOCKER })) {
    writeFileSync(join(tools, name), text);
    chmodSync(join(tools, name), 0o755);
  }
  const [program = '', ...words] = shell.split(' ');
  const env = {
    PATH: `${tools}:${process.env['PATH']}`,
    CALLS: calls,
    INSTALL: String(install),
    COMMIT: String(commit),
  };
  const child = spawn(program, [...words, '-s', '--', folder, 'shop'], { env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (breaks) for (const end of [child.stdout, child.stderr]) end.destroy();
    });
  }
  child.stdin.end(localInstallScript());
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output, calls: readFileSync(calls, 'utf8').trim().split('\n'), isLeft: existsSync(folder) };
}

describe.each(['dash', 'busybox ash'])('an installation over ssh in %s', (shell) => {
  test.each<[string, Parameters<typeof run>[1], number, string[]]>([
    ['is committed', {}, 0, ['install', 'commit']],
    ['needs no commit without rollback', { commit: 2 }, 0, ['install', 'commit']],
    ['that fails is not committed', { install: 1 }, 1, ['install']],
    ["that can't be committed is rolled back", { commit: 1 }, 1, ['install', 'commit', 'rollback']],
    ['ends although the connection breaks', { breaks: true }, 0, ['install', 'commit']],
  ])('%s', async (_, options, code, asked) => {
    requireTool('dash');
    requireTool('busybox', 'busybox-static');
    const found = await run(shell, options);
    const calls = asked.flatMap((call) => [call, `${call} has ended`]);
    expect(found).toMatchObject({ code, calls, isLeft: false });
    if (options.breaks === true) return;
    expect(found.output).toMatch(/^line 1\nerror 1\n[^]*runs: web web:1 Up\n$/);
  });
});

describe.each(['dash', 'busybox ash'])('the copy of an artifact in %s', (shell) => {
  const [program = '', ...words] = shell.split(' ');
  const named = 'mender-docker-delta-local';

  /** Fills a folder in `place`, which stands in for /var/lib/mender. Returns its name. */
  function fill(place: string, size: number, input: string): { status: number | null; name: string } {
    const { folder, fill: command } = localFolder(size);
    const here = command.replaceAll('/var/lib/mender', place);
    const { status, stderr } = spawnSync(program, [...words, '-c', here], { input, encoding: 'utf8' });
    expect(stderr).toBe('');
    return { status, name: folder.slice('/var/lib/mender/'.length) };
  }

  test('has a folder of its own, and leaves that of another run alone', () => {
    const place = temporaryFolder();
    const [one, other] = [fill(place, 3, 'one'), fill(place, 5, 'other')];
    expect([one.status, other.status]).toEqual([0, 0]);
    expect(readFileSync(join(place, one.name, 'artifact.mender'), 'utf8')).toBe('one');
    expect(readFileSync(join(place, other.name, 'artifact.mender'), 'utf8')).toBe('other');
  });

  test('that breaks off leaves nothing', () => {
    const place = temporaryFolder();
    expect(fill(place, 9, 'part').status).toBe(1);
    expect(readdirSync(place)).toEqual([]);
  });

  test('removes what a run left a long time ago', () => {
    const place = temporaryFolder();
    for (const [name, days] of [
      [named, 3],
      [`${named}-x`, 2],
      ['other', 9],
    ] as const) {
      mkdirSync(join(place, name));
      const then = Date.now() / 1000 - days * 86_400;
      utimesSync(join(place, name), then, then);
    }
    expect(fill(place, 1, 'x').status).toBe(0);
    expect(readdirSync(place)).toContain('other');
    expect(readdirSync(place)).not.toContain(named);
    expect(readdirSync(place)).not.toContain(`${named}-x`);
  });
});
