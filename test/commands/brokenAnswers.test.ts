import { describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { listen } from '../helpers/listen.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ID = '11111111-1111-1111-1111-111111111111';
const QUICK = ['--wait-timeout', '0.02s', '--poll-interval', '0.01s'];

const BUILD = ['-t', 'q', '-p', 'linux/amd64', '--artifact-version', '2', '-f', 'web=ARCHIVE'];

/** Command lines of every verb that asks a Mender server. */
const VERBS: Record<string, string[]> = {
  'artifacts list': [],
  'artifacts show': [ID],
  'artifacts detail': ['app'],
  'artifacts head': [ID],
  'artifacts download': [ID, '-o', 'FOLDER/out'],
  'artifacts add': ['ARTIFACT'],
  [`artifacts update ${ID}`]: ['--description', 'x'],
  [`artifacts update ${ID} --location HOST/app.mender`]: [],
  'artifacts delete': [ID],
  'artifacts prune': ['app'],
  'releases list': [],
  'releases show': ['app'],
  'releases tag': ['app', 'x'],
  'releases notes': ['app', 'x'],
  'deployments list': [],
  'deployments show': [ID],
  'deployments watch': [ID, ...QUICK],
  'deployments abort': [ID],
  'devices list': ['-g', 'staging', '--application', 'app'],
  'devices show': ['d1'],
  'groups list': [],
  'fleet status': ['app', '--to', '2', '--link', '1mbit'],
  rollout: ['PROJECT', ...BUILD, '--all-devices', ...QUICK],
  'rollout PROJECT': [...BUILD, '-g', 'staging', '--dry-run', '--base', 'mender://app-1'],
  plan: ['PROJECT', ...BUILD],
  'plan PROJECT': [...BUILD, '--base', 'mender://app-1'],
  doctor: ['-g', 'staging'],
  'artifacts update': [ID, '--replace', 'ARTIFACT'],
  upload: ['ARTIFACT'],
  'upload ARTIFACT': ['--direct-upload'],
  deploy: ['app', '--all-devices', ...QUICK],
  login: ['--username', 'me', '--password', 'not-the-one'],
};

/** What a server, or something that answers in its place, may send with status 200. */
const BODIES: Record<string, string> = {
  nothing: '',
  'a page': '<html>log in</html>',
  null: 'null',
  'a list of null': '[null]',
  'a list of lists': '[[]]',
  'a number': '5',
  'a text': '"x"',
  'an empty object': '{}',
  'a number for a name': '[{"name":5,"id":5}]',
  'a list for an object': '[{"id":"1","name":"a","updates":[null],"artifact_depends":[]}]',
  'an object for texts': '{"id":{},"name":{"toString":1},"status":[],"uri":{"a":1}}',
  'an invalid URI': `{"id":"${ID}","name":"a","uri":"no uri"}`,
  'a number for a log': `{"id":"${ID}","name":"a","status":"finished","success":"many"}`,
  'deep lists': '['.repeat(50_000) + ']'.repeat(50_000),
  'a deep field': `[{"id":"${ID}","name":"a","more":${'['.repeat(50_000)}${']'.repeat(50_000)}}]`,
  'a long list': `[${'{"id":"a","name":"a","status":"s"},'.repeat(200_000)}{"id":"a"}]`,
  'control characters': `[{"id":"${ID}","name":"a\\u001b[2J\\u009b\\u0000","modified":"\\n::error::"}]`,
};

async function answering(body: string, headers: Record<string, string> = {}): Promise<string> {
  return listen((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200, headers).end(body));
  });
}

/** Exit codes that are documented; 1 says that the tool has a bug. */
const DOCUMENTED = Object.values(EXIT).filter((code) => code !== EXIT.bug);

async function expectDocumented(argv: readonly string[], body: string): Promise<void> {
  const folder = temporaryFolder();
  const host = await answering(body, { location: `/x/${ID}` });
  const archive = join(folder, 'web.tar');
  if (argv.includes('PROJECT')) {
    writeFileSync(join(folder, 'compose.yaml'), 'name: app\nservices: {web: {image: "web:1"}}\n');
    writeOciArchive(archive, { 'web:1': buildImage({ layers: [{ a: 'a' }] }) });
  }
  const places: Record<string, string> = { FOLDER: folder, PROJECT: folder, HOST: host, ARCHIVE: archive };
  const words = argv.map((word) =>
    word === 'ARTIFACT'
      ? makeArtifact({ name: 'app-1' })
      : word.replace(/FOLDER|PROJECT|HOST|ARCHIVE/, (name) => places[name] ?? ''),
  );
  const run = await runCli([...words, '--mender-host', host], { MENDER_PAT: 'a-token', HOME: folder });
  expect(run.stderr).not.toMatch(/This is a bug|\n\s+at /);
  expect(DOCUMENTED).toContain(run.code);
  expect(run.stdout).not.toMatch(/(?![\n\t])\p{Cc}/u);
}

describe.each(Object.entries(VERBS))('%s', (verb, more) => {
  test.each(Object.entries(BODIES))('ends with a documented exit code if the server answers %s', (_, body) =>
    expectDocumented([...verb.split(' '), ...more], body),
  );
});

describe('a wait of an hour ends at once', () => {
  /** The server creates the deployment, and answers each look at it with `body`. */
  async function lookingAt(body: string): Promise<string> {
    return listen((request, response) => {
      request.resume();
      const isLook = request.url?.includes(ID) === true;
      const status = request.method === 'POST' ? 201 : 200;
      response.writeHead(status, { location: `/x/${ID}` }).end(isLook ? body : '[]');
    });
  }

  const { nothing, null: none, ...others } = BODIES;
  const { 'a page': page, 'a list of null': list, 'an empty object': empty, 'deep lists': deep } = others;
  const MALFORMED = Object.entries({ nothing, none, page, list, empty, deep });
  describe.each(['deployments watch ' + ID, 'deploy app --all-devices'])('%s', (line) => {
    test.each(MALFORMED)('if the server answers %s', async (_, body) => {
      const argv = [...line.split(' '), '--wait-timeout', '1h', '--mender-host', await lookingAt(body!)];
      const run = await runCli(argv, { MENDER_PAT: 'a-token', HOME: temporaryFolder() });
      expect([run.code, run.stderr]).toEqual([EXIT.network, expect.stringContaining('a login page')]);
      expect(run.stderr).not.toMatch(/This is a bug|\n\s+at |still waiting/);
    });
  });
});

describe.each(['artifacts list', 'releases show app', `deployments show ${ID}`])('%s --json', (line) => {
  test.each(Object.entries(BODIES))('ends with a documented exit code if the server answers %s', (_, body) =>
    expectDocumented([...line.split(' '), '--json'], body),
  );
});

describe('a list without end', () => {
  const item = JSON.stringify([{ id: ID, name: 'app', status: 'finished' }]);
  test.each([
    ['artifacts list', 'of the same page', item],
    ['artifacts list', 'of empty pages', '[]'],
    ['releases list', 'of the same page', item],
    ['deployments list', 'of empty pages', '[]'],
  ])('%s %s is an error', async (verb, _, body) => {
    const host = await answering(body, { link: '<http://x/?page=2>; rel="next"' });
    const { code, stderr } = await runCli([...verb.split(' '), '--mender-host', host], {
      MENDER_PAT: 'token-x',
    });
    expect([code, stderr]).toEqual([EXIT.network, expect.stringContaining('does not end')]);
  });

  test.each([
    [
      'of the same page',
      '{"items": [{"id": "p", "name": "n", "workflow": "community", "mappings": [{"marketplace_account": "a", "destinations": [{"destination": "g", "overwrite": false, "restrict_version": false}]}]}], "nav": {"next": "x"}}',
    ],
    ['of empty pages', '{"items": [], "nav": {"next": "x"}}'],
  ])('destinations policies %s is an error', async (_, body) => {
    const { code, stderr } = await runCli([
      'destinations',
      'policies',
      '--starmap-url',
      await answering(body),
    ]);
    expect([code, stderr]).toEqual([EXIT.network, expect.stringContaining('does not end')]);
  });
});

describe('a server of maps', () => {
  const MAP_VERBS = [
    ['resolve', 'app'],
    ['show', 'policy', '1'],
    ['show', 'mapping', '1'],
    ['policies'],
    ['snapshot'],
  ];
  test.each(Object.entries(BODIES))('that answers %s', async (_, body) => {
    for (const words of MAP_VERBS) {
      const run = await runCli(['destinations', ...words, '--starmap-url', await answering(body)]);
      expect(run.stderr).not.toMatch(/This is a bug|\n\s+at /);
      expect(DOCUMENTED).toContain(run.code);
    }
  });
});

describe('a file that is broken', () => {
  /** A server that accepts no token. */
  const refusing = () => listen((_request, response) => response.writeHead(401).end());
  const CONTENTS: Record<string, string> = {
    empty: '',
    NUL: '\0\0\0\0',
    'a tag of no type': '!!nonsense x',
    'a list of null': '[null]',
    'a number': '5',
    'an endless alias': 'a: &a [*a]',
    'many aliases': `a: &a [x]\n${Array.from({ length: 30 }, (__, i) => `b${i}: &b${i} [*${i ? `b${i - 1}` : 'a'}, *${i ? `b${i - 1}` : 'a'}]`).join('\n')}`,
    'deep lists': '['.repeat(3000) + ']'.repeat(3000),
    'a page': '<html>\x1b</html>',
  };
  const HOST = ['--mender-host', 'HOST'];
  const PLAN = [
    'plan',
    'PROJECT',
    '-t',
    'q',
    '-p',
    'linux/amd64',
    '--artifact-version',
    '1',
    '--mode',
    'offline',
  ];
  const READERS: [string, (path: string, host: string) => string[]][] = [
    ['inspect', (path) => ['inspect', path]],
    ['verify', (path) => ['verify', path]],
    ['report', (path) => ['report', path]],
    ['upload', (path) => ['upload', path]],
    ['build', (path) => ['build', path, '-t', 'q', '-p', 'linux/amd64', '--no-upload']],
    ['lock', (path) => ['lock', path, '-t', 'q', '-p', 'linux/amd64', '--mode', 'offline']],
    ['doctor', (path) => ['doctor', path, ...HOST]],
    ['init', (path) => ['init', path, '-t', 'q', '-p', 'linux/amd64']],
    ['rollout', (path) => ['rollout', path, '--all-devices', ...HOST]],
    ['--device-report', (path) => [...PLAN, '--device-report', path]],
    ['--env-file', (path) => [...PLAN, '--env-file', path]],
    ['artifacts update --replace', (path) => ['artifacts', 'update', ID, '--replace', path, ...HOST]],
    ['library push', (path) => ['library', 'push', path, 'library://a/b/c:1', '--library', 'HOST']],
    ['--base', (path) => ['plan', path, '-t', 'q', '-p', 'linux/amd64', '--base', path]],
    ['destinations lint', (path) => ['destinations', 'lint', path]],
    ['--repo-file', (path) => ['destinations', 'resolve', 'app', '--repo-file', path]],
    [
      '--config',
      (path) => [
        'destinations',
        'resolve',
        'app',
        '--repo',
        '[{"name":"app","workflow":"community","cloud":"mender","mappings":{"a":{"destinations":[]}}}]',
        '--config',
        path,
      ],
    ],
    [
      'deploy by a map',
      (path) => [
        'deploy',
        path,
        '--repo',
        '[{"name":"app","workflow":"community","cloud":"mender","mappings":{}}]',
      ],
    ],
    ['--token-file', (path, host) => ['artifacts', 'list', '--mender-host', host, '--token-file', path]],
    ['inspect --key', (path) => ['inspect', makeArtifact({ name: 'app-1' }), '--key', path]],
  ];
  test.each(READERS)('ends %s with a documented exit code', async (_, argvOf) => {
    const folder = temporaryFolder();
    const path = join(folder, 'file.yaml');
    const project = join(folder, 'project.yml');
    writeFileSync(project, 'services: {web: {image: "web:1"}}\n');
    const host = await refusing();
    const argv = argvOf(path, host).map((word) => ({ PROJECT: project, HOST: host })[word] ?? word);
    for (const [name, content] of Object.entries(CONTENTS)) {
      writeFileSync(path, content);
      const run = await runCli(argv, { MENDER_PAT: '', HOME: folder });
      expect(run.stderr, name).not.toMatch(/This is a bug|\n\s+at /);
      expect(DOCUMENTED, name).toContain(run.code);
    }
  });

  /** Files that are found by their names, below the home folder or next to the Compose file. */
  const FOUND: [string, string[]][] = [
    ['.config/mender-docker-delta/config.yaml', ['config', 'show']],
    ['.config/mender-docker-delta/config.yaml', ['init', 'PROJECT', '-t', 'q', '-p', 'linux/amd64']],
    ['.mender-clirc', ['config', 'show']],
    ['.cache/mender/authtoken', ['groups', 'list', ...HOST]],
    ['shop/mender-docker-delta.lock', [...PLAN, '--locked']],
    ['shop/VERSION', [...PLAN.slice(0, 6), '--release', '--mode', 'offline']],
    ['shop/.env', ['doctor', 'PROJECT', ...HOST]],
    ['shop/.menderignore', ['lock', 'PROJECT', ...PLAN.slice(2, 6), '--mode', 'offline']],
    ['shop/.gitignore', ['init', 'PROJECT', '-t', 'q', '-p', 'linux/amd64']],
  ];
  test.each(FOUND)('%s ends with a documented exit code: %j', async (name, argv) => {
    const home = temporaryFolder();
    const project = join(home, 'shop');
    const places: Record<string, string> = { PROJECT: project, HOST: await refusing() };
    const words = argv.map((word) => places[word] ?? word);
    for (const [kind, content] of Object.entries(CONTENTS)) {
      mkdirSync(project, { recursive: true });
      writeFileSync(
        join(project, 'compose.yaml'),
        'services: {web: {image: "web:1", volumes: ["./a:/a"]}}\n',
      );
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), content);
      const run = await runCli(words, { HOME: home });
      expect(run.stderr, kind).not.toMatch(/This is a bug|\n\s+at /);
      expect(DOCUMENTED, kind).toContain(run.code);
      rmSync(project, { recursive: true });
    }
  });

  test.each(READERS)('NUL in the path of %s', async (_, argvOf) => {
    const run = await runCli(argvOf('a\0b', await refusing()), { HOME: temporaryFolder() });
    expect(run.stderr).not.toMatch(/This is a bug|\n\s+at /);
    expect(DOCUMENTED).toContain(run.code);
  });
});

describe('a device', () => {
  /** Runs with an ssh on PATH that does as the script says. */
  async function withSsh(script: string, argv: readonly string[]): Promise<void> {
    const folder = temporaryFolder();
    const program = join(folder, 'ssh');
    writeFileSync(program, `#!/bin/sh\ncat > /dev/null\n${script}\n`);
    chmodSync(program, 0o755);
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: "web:1"}}\n');
    vi.stubEnv('PATH', `${folder}:${process.env['PATH']}`);
    try {
      const words = argv.map((word) => (word === 'PROJECT' ? folder : word));
      const run = await runCli(words, { HOME: folder });
      expect(run.stderr).not.toMatch(/This is a bug|\n\s+at /);
      expect([...DOCUMENTED].filter((code) => code !== 0)).toContain(run.code);
      expect(`${run.stdout}${run.stderr}`).not.toMatch(/(?![\n\t])\p{Cc}/u);
    } finally {
      vi.unstubAllEnvs();
    }
  }

  const FIRST = 'mender-docker-delta probe 1';
  const SCRIPTS: Record<string, string> = {
    nothing: '',
    'a refusal': 'echo denied >&2; exit 255',
    'a shell that fails': 'echo no >&2; exit 127',
    'half a report': `echo "${FIRST}"; echo "machine: x86_64"`,
    'a report of nothing': `echo "${FIRST}"; echo end`,
    'odd values': `echo "${FIRST}"; echo "store: x"; echo "memory.free: many"; echo "work.path: "; echo "clock: x"; echo end`,
    'names of objects': `echo "${FIRST}"; echo "__proto__: x"; echo "provides.__proto__: y"; echo "tool.constructor: z"; echo end`,
    'control characters': `echo "${FIRST}"; printf 'machine: \\033[2J\\233\\n'; echo end`,
    'an end by a signal': 'kill -9 $$',
    'many lines': `seq 200000`,
  };
  const LINES: (string | undefined)[][] = [
    ['doctor', '--device', 'ssh://root@device'],
    ['doctor', '--device', 'ssh://root@device', '--json'],
    ['build', 'PROJECT', '--to', 'ssh://root@device', '--artifact-version', '1'],
  ];
  describe.each(LINES)('%s %s %s %s', (...argv) => {
    const words = argv.filter((word) => word !== undefined);
    test.each(Object.entries(SCRIPTS))('that answers with %s', (_, script) => withSsh(script, words));
  });
});
