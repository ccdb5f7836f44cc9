import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { COMMANDS } from '../../src/commands/all.ts';
import { ciFile } from '../../src/commands/init/ciFiles.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const CI = join(ROOT, 'scripts/ci');
const KNOWN = new Set(['json', ...COMMANDS.flatMap(({ options }) => Object.keys(options))]);
const isKnown = (name: string): boolean => KNOWN.has(name) || KNOWN.has(name.replace(/^no-/, ''));

const TEMPLATE = readFileSync(join(CI, 'mender-docker-delta.gitlab-ci.yml'), 'utf8');
const HIDDEN_JOB = readFileSync(join(CI, 'mender-docker-delta-job.gitlab-ci.yml'), 'utf8');
const CI_DOCUMENT = readFileSync(join(ROOT, 'docs/ci.md'), 'utf8');

describe('the GitLab template', () => {
  const text = TEMPLATE;

  interface Job {
    rules?: { if: string }[];
    cache?: { key?: string };
    before_script?: string[];
  }
  const jobs = parseYaml(text) as Record<string, Job>;

  it('uses only options and variables that exist', () => {
    const lines = text.split('\n').filter((line) => line.includes('mender-docker-delta build'));
    expect(lines).toHaveLength(2);
    const options = lines.flatMap((line) => [...line.matchAll(/ --([\w-]+)/g)].map(([, name]) => name!));
    expect(options.filter((name) => !isKnown(name))).toEqual([]);
    const variables = [...text.matchAll(/MENDER_DOCKER_DELTA_([A-Z_]+):/g)].map(([, name]) => name!);
    expect(variables.length).toBeGreaterThan(2);
    expect(variables.filter((name) => !isKnown(name.toLowerCase().replaceAll('_', '-')))).toEqual([]);
  });

  it('has no default for the package', () => {
    expect(jobs).toMatchObject({ variables: { DELTA_TOOL_PACKAGE: '' } });
  });

  it('is YAML with a job for branches and one for tags', () => {
    expect(jobs['mender-delta']?.rules).toEqual([{ if: '$CI_COMMIT_BRANCH' }]);
    expect(jobs['mender-release']?.rules).toEqual([{ if: '$CI_COMMIT_TAG' }]);
  });

  it('keeps the caches of branches and tags apart', () => {
    const keys = [jobs['mender-delta']?.cache?.key, jobs['mender-release']?.cache?.key];
    expect(keys).toEqual(['mender-docker-delta-branches', 'mender-docker-delta-tags']);
    expect(jobs['.mender-docker-delta']?.cache?.key).toBeUndefined();
  });

  it.each([
    ['the template', TEMPLATE, '.mender-docker-delta'],
    ['the hidden job', HIDDEN_JOB, '.mender-docker-delta'],
    ['the file of init', ciFile('gitlab', '.').text, '.mender-docker-delta'],
  ])('installs no package that the project did not name: %s', async (_, file, job) => {
    const [check] = (parseYaml(file) as Record<string, Job>)[job]!.before_script!;
    const run = (DELTA_TOOL_PACKAGE: string) =>
      execa('sh', ['-ec', check!], { env: { DELTA_TOOL_PACKAGE }, reject: false });
    expect(await run('')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('DELTA_TOOL_PACKAGE is empty') as string,
    });
    expect(await run('https://example.com/tool.tgz')).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('the hidden job of GitLab', () => {
  const read = (text: string) => parseYaml(text) as Record<string, Record<string, unknown>>;

  it('is that of the template, and nothing else', () => {
    const { variables, ...jobs } = read(HIDDEN_JOB);
    expect(variables).toEqual({ DELTA_TOOL_PACKAGE: '' });
    expect(jobs).toEqual({ '.mender-docker-delta': read(TEMPLATE)['.mender-docker-delta'] });
  });
});

describe('the recipes of docs/ci.md', () => {
  interface RecipeJob {
    extends?: string;
    parallel?: number;
    cache?: { key?: string } | [];
    environment?: { name: string; action: string };
    dependencies?: string[];
    script?: string[];
    steps?: Partial<Step>[];
  }
  type Recipe = Record<string, RecipeJob> & { env?: object; jobs?: Record<string, RecipeJob> };
  const recipes = [...CI_DOCUMENT.matchAll(/```yaml\n([^]*?)```/g)].map(
    ([, text]) => parseYaml(text!) as Recipe,
  );
  const jobs = recipes.flatMap((recipe) => Object.values(recipe.jobs ?? recipe));

  it('use only inputs that the action has', () => {
    const action = parseYaml(readFileSync(join(ROOT, 'action.yml'), 'utf8')) as { inputs: object };
    const steps = jobs.flatMap(({ steps = [] }) => steps);
    const own = steps.filter(({ uses }) => uses?.startsWith('mender-docker-delta/') === true);
    expect(own.length).toBeGreaterThan(4);
    const unknown = own
      .flatMap((step) => Object.keys(step.with ?? {}))
      .filter((name) => !(name in action.inputs));
    expect(unknown).toEqual([]);
  });

  it('use only options that exist', () => {
    const lines = jobs.flatMap(({ script = [] }) => script);
    const options = lines.flatMap((line) => [...line.matchAll(/ --([\w-]+)/g)].map(([, name]) => name!));
    expect(options.length).toBeGreaterThan(8);
    expect(options.filter((name) => !isKnown(name))).toEqual([]);
  });

  it('give each job at GitLab a cache of its own, or none', () => {
    const extending = jobs.filter((job) => job.extends === '.mender-docker-delta');
    expect(extending.length).toBeGreaterThan(2);
    for (const { cache, parallel } of extending) {
      if (Array.isArray(cache)) continue;
      expect(cache?.key).toMatch(parallel === undefined ? /-tags/ : /-tags-\$CI_NODE_INDEX$/);
    }
  });

  it('give a private key to jobs that store, and the public one to jobs with a token', () => {
    const steps = jobs.flatMap(({ steps = [] }) => steps).map((step) => step.with ?? {});
    const keyed = steps.filter((inputs) => 'cache-key' in inputs);
    expect(keyed).toHaveLength(2);
    for (const inputs of keyed) {
      const stores = 'cache-to' in inputs;
      expect(inputs['cache-key']).toMatch(stores ? /cache-key\.pem$/ : /cache-key\.pub$/);
      expect('token' in inputs).toBe(!stores);
    }
  });

  it('give no secret to a whole workflow, and credentials that push to the step that stores', () => {
    for (const { env } of recipes) expect(JSON.stringify(env ?? {})).not.toContain('secrets.');
    const steps = jobs.flatMap(({ steps = [] }) => steps);
    const needed = steps.map(({ with: inputs = {} }) =>
      'cache-to' in inputs ? 'PUSH' : 'cache-from' in inputs ? 'READ' : undefined,
    );
    const given = steps.map(({ env }) => /secrets\.DOCKER_CONFIG_(\w+)/.exec(JSON.stringify(env ?? {}))?.[1]);
    expect(given).toEqual(needed);
    expect(given.filter((one) => one !== undefined)).toEqual(['PUSH', 'READ']);
  });

  it('keep the secrets and files of the first job at GitLab from the others', () => {
    const sharing = jobs.filter(({ script = [] }) => / --cache-(to|from) /.test(script.join()));
    expect(sharing.map(({ environment }) => environment)).toEqual([
      { name: 'deltas', action: 'access' },
      { name: 'artifacts', action: 'access' },
    ]);
    expect(sharing.map(({ dependencies }) => dependencies)).toEqual([undefined, []]);
  });
});

/** A step of a workflow, as far as the rules of docs/ci.md go. */
interface Step {
  uses: string;
  env: Record<string, string>;
  with: Record<string, unknown>;
}

/** The inputs that init writes under x-mender. */
const SETTINGS = ['device-type', 'platform', 'module'];

function withoutSettings(inputs: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !SETTINGS.includes(name)));
}

describe('the files of init', () => {
  const github = (text: string) =>
    parseYaml(text) as { on: { push: { branches: string[] } }; jobs: { artifact: { steps: Step[] } } };

  it('follow docs/ci.md at GitHub', () => {
    const [, block] = /```yaml\n(on:[^]*?)```/.exec(CI_DOCUMENT)!;
    const documented = github(block!);
    const written = github(ciFile('github', 'docker-compose.yaml').text);
    expect(written.on.push.branches).toEqual(documented.on.push.branches);
    expect(written.jobs.artifact.steps).toEqual(
      documented.jobs.artifact.steps.map((step) => ({ ...step, with: withoutSettings(step.with) })),
    );
  });

  it('follow the template at GitLab', () => {
    type Job = Record<string, unknown> & { script?: string[] };
    const jobsOf = (text: string) => parseYaml(text) as Record<string, Job>;
    const template = jobsOf(TEMPLATE);
    const written = jobsOf(ciFile('gitlab', '.').text);
    const scriptOf = (jobs: Record<string, Job>, name: string) =>
      jobs[name]!.script!.map((line) => line.replace(/ --json > \S+$/, ''));
    for (const name of ['mender-delta', 'mender-release']) {
      expect(written[name]).toMatchObject({ ...template[name], script: scriptOf(template, name) });
    }
    const { cache, variables, before_script } = template['.mender-docker-delta']!;
    expect(written['.mender-docker-delta']).toMatchObject({ cache, variables, before_script });
  });
});

it('names one version of each action everywhere', () => {
  const workflows = readdirSync(join(ROOT, '.github/workflows')).map((name) => `.github/workflows/${name}`);
  const texts = ['docs/ci.md', ...workflows].map((path) => readFileSync(join(ROOT, path), 'utf8'));
  const used = [...texts, ciFile('github', '.').text].flatMap((text) => [
    ...text.matchAll(/uses: (.+)@(\S+)/g),
  ]);
  const versions = new Map<string, Set<string>>();
  for (const [, name, version] of used)
    versions.set(name!, new Set([...(versions.get(name!) ?? []), version!]));
  expect(versions.get('actions/checkout')?.size).toBe(1);
  expect([...versions].filter(([, all]) => all.size > 1)).toEqual([]);
});

describe('scripts/ci/github-build', () => {
  it.each(['github-build', 'github-install'])('%s is clean to shellcheck', (name) => {
    requireTool('shellcheck');
    execFileSync('shellcheck', [join(CI, name)], { stdio: 'inherit' });
  });

  /** A build step with `manifest` as the input of that name. */
  async function build(manifest: string) {
    const folder = temporaryFolder();
    const inside = (name: string): string => join(folder, name);
    writeFileSync(inside('compose.yaml'), 'services: {web: {image: example.test/web:1}}\n');
    writeOciArchive(inside('web.tar'), {
      'example.test/web:1': buildImage({ layers: [{ 'app/a': 'one' }] }),
    });
    const run = await execa(join(CI, 'github-build'), {
      cwd: folder,
      reject: false,
      env: {
        MANIFEST: manifest,
        RUNNER_TEMP: folder,
        GITHUB_STEP_SUMMARY: inside('summary'),
        GITHUB_OUTPUT: inside('outputs'),
        MENDER_DOCKER_DELTA_MANIFEST_NAME: 'shop',
        MENDER_DOCKER_DELTA_ARTIFACT_VERSION: '1.0.0',
        MENDER_DOCKER_DELTA_DEVICE_TYPE: 'raspberrypi4,qemux86-64',
        MENDER_DOCKER_DELTA_PLATFORM: 'linux/amd64',
        MENDER_DOCKER_DELTA_SERVICE_FILE: 'web=web.tar',
        MENDER_DOCKER_DELTA_PROFILE: '',
        MENDER_DOCKER_DELTA_UPLOAD: 'false',
        MENDER_DOCKER_DELTA_CACHE_DIR: inside('cache'),
      },
    });
    return { stderr: run.stderr, exitCode: run.exitCode, folder, inside };
  }

  it('builds what the variables ask for, and fills summary and outputs', async () => {
    const { stderr, exitCode, inside } = await build('compose.yaml\n');
    // A slow machine shows progress.
    expect(stderr.replace(/^packing with mender-artifact.*\n/gm, '')).toBe('');
    expect(exitCode).toBe(0);
    expect(readFileSync(inside('summary'), 'utf8')).toContain('| example.test/web:1 |');
    expect(outputsOf(readFileSync(inside('outputs'), 'utf8'))).toEqual({
      artifacts: [inside('shop-1.0.0.mender')],
      'artifact-names': ['shop-1.0.0'],
      result: [inside('mender-docker-delta.json')],
    });
  });

  it('builds targets of a bake file, and prints their matrix', async () => {
    const folder = temporaryFolder();
    const inside = (name: string): string => join(folder, name);
    writeFileSync(inside('compose.yaml'), 'services: {web: {image: example.test/web:1}}\n');
    const image = buildImage({ layers: [{ 'app/a': 'one' }] });
    writeOciArchive(inside('web.tar'), { 'example.test/web:1': image });
    const settings = 'manifest-name: shop, artifact-version: 1.0.0, device-type: qemu, platform: linux/amd64';
    const target = `{manifest: compose.yaml, service-file: web=web.tar, ${settings}}`;
    writeFileSync(inside('mender-bake.yaml'), `group: {default: [shop]}\ntarget:\n  shop: ${target}\n`);
    const run = (more: Record<string, string>) =>
      execa(join(CI, 'github-build'), {
        cwd: folder,
        reject: false,
        env: {
          ...{ MANIFEST: '.', RUNNER_TEMP: folder, MENDER_DOCKER_DELTA_CACHE_DIR: inside('cache') },
          ...{ GITHUB_STEP_SUMMARY: inside('summary'), GITHUB_OUTPUT: inside('outputs'), ...more },
        },
      });
    const listed = await run({ BAKE_MATRIX: 'true' });
    expect([listed.exitCode, readFileSync(inside('outputs'), 'utf8')]).toEqual([
      0,
      'matrix={"target":["shop"]}\n',
    ]);
    writeFileSync(inside('outputs'), '');
    const built = await run({
      ...{ BAKE: 'shop\n', BAKE_FILE: inside('mender-bake.yaml'), MENDER_DOCKER_DELTA_JOBS: '1' },
      ...{ MENDER_DOCKER_DELTA_SET: '*.artifact-version=1.2.0\n', MENDER_DOCKER_DELTA_SHARD: '' },
    });
    expect(built.exitCode, built.stderr).toBe(0);
    expect(readFileSync(inside('summary'), 'utf8')).toContain('| shop | shop-1.2.0 | **');
    expect(outputsOf(readFileSync(inside('outputs'), 'utf8'))).toMatchObject({
      artifacts: [inside('shop-1.2.0.mender')],
    });
  });

  it('takes no line of the input for an option', async () => {
    const lines = 'compose.yaml\n--artifact-filename=elsewhere.mender\n';
    const { stderr, exitCode, folder, inside } = await build(lines);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(join(folder, '--artifact-filename=elsewhere.mender'));
    expect(readFileSync(inside('summary'), 'utf8')).toMatch(/^### No artifact\n\n.*does not exist\n/);
    expect(outputsOf(readFileSync(inside('outputs'), 'utf8'))).toMatchObject({ artifacts: [] });
  });
});

/** The outputs of a step, as GitHub reads its file. */
function outputsOf(text: string): Record<string, string[]> {
  const lines = text.trimEnd().split('\n');
  const outputs: Record<string, string[]> = {};
  while (lines.length > 0) {
    const [name, delimiter] = lines.shift()!.split('<<');
    const end = lines.indexOf(delimiter!);
    outputs[name!] = lines.splice(0, end);
    lines.shift();
  }
  return outputs;
}

describe('scripts/ci/job-outputs.mjs', () => {
  it('has delimiters that no value can guess', () => {
    const file = join(temporaryFolder(), 'result.json');
    const evil = 'x\nend-of-artifacts\nresult<<end-of-result\n/etc/passwd\nend-of-result';
    writeFileSync(file, JSON.stringify({ artifacts: [{ artifact: { path: evil }, artifactName: evil }] }));
    const print = (): string =>
      execFileSync(process.execPath, [join(CI, 'job-outputs.mjs'), file], { encoding: 'utf8' });
    expect(outputsOf(print()).result).toEqual([file]);
    expect(print()).not.toBe(print());
  });
});

describe('scripts/ci/github-install', () => {
  /** Runs the step of an action at `ref`, whose releases a server on this machine has. */
  async function install(ref: string) {
    const folder = temporaryFolder();
    const action = join(folder, 'action');
    const asked: string[] = [];
    mkdirSync(join(action, 'scripts'), { recursive: true });
    cpSync(CI, join(action, 'scripts/ci'), { recursive: true });
    writeFileSync(join(action, 'scripts/setup'), '#!/bin/sh\necho built from the sources\n', { mode: 0o755 });
    const manifest = JSON.stringify({ name: 'mender-docker-delta', version: '1.2.3' });
    writeFileSync(join(action, 'package.json'), manifest);
    const server = await listen((request, response) => {
      asked.push(request.url!);
      if (!request.url!.includes('/v1.2.3/')) return void response.writeHead(404).end();
      mkdirSync(join(folder, 'package'));
      writeFileSync(join(folder, 'package/package.json'), manifest);
      response.end(execFileSync('tar', ['-C', folder, '-cz', 'package']));
    });
    const run = await execa(join(action, 'scripts/ci/github-install'), {
      reject: false,
      env: {
        RUNNER_TEMP: folder,
        HOME: folder,
        GITHUB_SERVER_URL: server,
        ACTION_REPOSITORY: 'owner/tool',
        ACTION_REF: ref,
      },
    });
    const installed = join(folder, 'mender-docker-delta/node_modules/mender-docker-delta/package.json');
    const { exitCode, stdout, stderr } = run;
    return { exitCode, stdout, stderr, asked, installed };
  }

  const PACKAGE = '/owner/tool/releases/download/v1.2.3/mender-docker-delta-1.2.3.tgz';

  it.each(['v1', 'v1.2.3'])('takes the package of the release at %s', async (ref) => {
    const { exitCode, stdout, stderr, asked, installed } = await install(ref);
    expect(exitCode, stderr).toBe(0);
    expect(asked).toEqual([PACKAGE]);
    expect(stdout).not.toContain('built from the sources');
    expect(readFileSync(installed, 'utf8')).toContain('1.2.3');
  });

  it.each(['main', '', 'a0e7a07'])('builds from the sources at "%s"', async (ref) => {
    const { exitCode, stdout, asked } = await install(ref);
    expect([exitCode, stdout, asked]).toEqual([0, 'built from the sources', []]);
  });
});

describe('scripts/ci/job-summary.mjs', () => {
  const result = {
    artifacts: [
      {
        artifactName: 'shop-1.1.0',
        base: { version: '1.0.0', origin: '1.0.0, the last delivery of this machine (cache)' },
        artifact: { path: '/build/shop-1.1.0.mender', size: 4_200_000, compression: 'lzma' },
        fullSize: 60_000_000,
        images: [
          {
            image: 'example.test/web:1.1.0',
            layers: [
              { diffID: `sha256:${'a'.repeat(64)}`, kind: 'omit', size: 30_000_000, sent: 0 },
              { diffID: `sha256:${'b'.repeat(64)}`, kind: 'delta', size: 150_000_000, sent: 4_000_000 },
            ],
          },
        ],
      },
    ],
    delivery: null,
  };

  const summaryOf = (value: object): string => {
    const file = join(temporaryFolder(), 'result.json');
    writeFileSync(file, JSON.stringify(value));
    return execFileSync('node', [join(CI, 'job-summary.mjs'), file], { encoding: 'utf8' });
  };

  it('makes a table of the destinations of a map', () => {
    const places = [{ destination: 'staging', state: 'DEPLOYED' }];
    const run = { artifact: { name: 'shop-1.1.0' }, accounts: [{ account: 'europe', destinations: places }] };
    const { artifacts } = result;
    expect(
      summaryOf({ artifacts, destinations: { runs: [run] } })
        .split('\n')
        .slice(-4),
    ).toEqual([
      '| artifact | account | destination | state |',
      '| --- | --- | --- | --- |',
      '| shop-1.1.0 | europe | staging | DEPLOYED |',
      '',
    ]);
  });

  it('shows names as they are, whatever is in them', () => {
    const [artifact] = result.artifacts;
    const base = { version: '1.0\n# Approved', origin: 'x' };
    const image = { ...artifact!.images[0]!, image: 'a|b<script>' };
    const text = summaryOf({ ...result, artifacts: [{ ...artifact, base, images: [image] }] });
    expect(text).toContain('against 1.0 \\# Approved.');
    expect(text).toContain('| a\\|b\\<script\\> |');
  });

  it('never says that 100 % were saved', () => {
    const [artifact] = result.artifacts;
    const text = summaryOf({ ...result, artifacts: [{ ...artifact, fullSize: 60_000_000_000 }] });
    expect(text).toContain('instead of about 60000 MB (-99.9 %)');
  });

  it('makes a row for each artifact of bake --json, and for each failure', () => {
    const [artifact] = result.artifacts;
    const error = { message: 'no image | x', hint: null, exitCode: 3 };
    const builds = [
      { name: 'shop@linux/arm64', artifacts: [artifact, { ...artifact, base: null }], error: null },
      { name: 'till', artifacts: [], error },
    ];
    expect(summaryOf({ builds, error })).toBe(
      [
        '| target | artifact | size |',
        '| --- | --- | --- |',
        '| shop@linux/arm64 | shop-1.1.0 | **4.2 MB** instead of about 60 MB (-93 %) |',
        '| shop@linux/arm64 | shop-1.1.0 | **4.2 MB** |',
        '| till |  | **failed**: no image \\| x |',
        '',
      ].join('\n'),
    );
  });

  it('makes a table of the layers out of what build --json prints', () => {
    expect(summaryOf(result)).toBe(
      [
        '### shop-1.1.0',
        '',
        'shop-1.1.0.mender: **4.2 MB** instead of about 60 MB (-93 %), lzma, against 1.0.0. Payload: 4 MB before compression, for images of 180 MB.',
        '',
        '| image | layer | kind | layer size | payload |',
        '| --- | --- | --- | ---: | ---: |',
        '| example.test/web:1.1.0 | aaaaaaaaaaaa | unchanged | 30 MB | 0 MB |',
        '|  | bbbbbbbbbbbb | delta | 150 MB | 4 MB |',
        '',
        'Not uploaded.',
        '',
      ].join('\n'),
    );
  });
});
