import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { PAGE_START } from '../../../src/compose/ship/leftOut.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import type { ReadyApplication } from '../project.ts';
import { filesOf, readToShip, textsOf } from '../project.ts';

/** Writes files by their path below a new folder and returns the folder. */
function folderWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const read = (folder: string, environment: Record<string, string> = {}, privatePaths: string[] = []) =>
  readToShip({ composeFiles: [join(folder, 'app/compose.yaml')], profiles: [], environment }, privatePaths);

function shippedNames(application: ReadyApplication): string[] {
  return Object.keys(textsOf(filesOf(application))).filter((path) => path !== 'docker-compose.yaml');
}

function shippedService(application: ReadyApplication): Record<string, unknown> {
  const model = parse(textsOf(filesOf(application))['docker-compose.yaml']!) as {
    services: Record<string, Record<string, unknown>>;
  };
  return model.services['web']!;
}

const WEB = 'services: {web: {image: "web:1"';
/** A file that makes the folder a git repository, as far as this tool looks. */
const REPOSITORY = { '.git': 'gitdir: elsewhere\n' };

describe('files of the repository outside the project folder ship in a folder of their own', () => {
  test.each<[string, string, Record<string, string>, string[], Record<string, unknown>]>([
    [
      'an env file',
      `${WEB}, env_file: ../common.env}}\n`,
      { 'common.env': 'A=1\n' },
      ['.outside/common.env'],
      { env_file: './.outside/common.env' },
    ],
    [
      'an env file in the long form, in a folder next to the project',
      `${WEB}, env_file: [{path: ../common/x.env}]}}\n`,
      { 'common/x.env': 'A=1\n' },
      ['.outside/common/x.env'],
      { env_file: [{ path: './.outside/common/x.env' }] },
    ],
    [
      'a mounted folder',
      `${WEB}, volumes: ["../site:/site:ro"]}}\n`,
      { 'site/a/b': 'b', 'site/c': 'c' },
      ['.outside/site/a/b', '.outside/site/c'],
      { volumes: ['./.outside/site:/site:ro'] },
    ],
    [
      'a label file',
      `${WEB}, label_file: [../l]}}\n`,
      { l: 'a=1\n' },
      ['.outside/l'],
      { label_file: ['./.outside/l'] },
    ],
    [
      'a seccomp profile',
      `${WEB}, security_opt: ["no-new-privileges:true", "seccomp:../sec.json"]}}\n`,
      { 'sec.json': '{}' },
      ['.outside/sec.json'],
      { security_opt: ['no-new-privileges:true', 'seccomp:./.outside/sec.json'] },
    ],
    [
      'the seccomp profiles of Docker',
      `${WEB}, security_opt: ["seccomp=unconfined", "seccomp:builtin", "seccomp:a=b", "label:x"]}}\n`,
      {},
      [],
      { security_opt: ['seccomp=unconfined', 'seccomp:builtin', 'seccomp:a=b', 'label:x'] },
    ],
    [
      'a missing file that may be missing',
      `${WEB}, env_file: [{path: ../local.env, required: false}]}}\n`,
      {},
      [],
      { env_file: [{ path: './.outside/local.env', required: false }] },
    ],
  ])('%s', async (_, compose, files, shipped, service) => {
    const folder = folderWith({ ...REPOSITORY, 'app/compose.yaml': compose, ...files });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(shipped);
    expect(shippedService(application)).toMatchObject(service);
    if (shipped.length > 0)
      expect(application.warnings).toEqual([
        expect.stringContaining('ships from outside the project folder'),
      ]);
  });

  test('what an included file names', async () => {
    const folder = folderWith({
      ...REPOSITORY,
      'app/compose.yaml': `include: [../common/compose.yaml]\n${WEB}}}\n`,
      'common/compose.yaml':
        'services: {db: {image: "db:1", env_file: db.env, configs: [c], volumes: ["./data:/d"]}}\nconfigs: {c: {file: ./c.conf}}\n',
      'common/db.env': 'A=1\n',
      'common/c.conf': 'x',
    });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(['.outside/common/c.conf', '.outside/common/db.env']);
    const text = textsOf(filesOf(application))['docker-compose.yaml']!;
    expect(parse(text)).toMatchObject({
      services: {
        db: { env_file: './.outside/common/db.env', volumes: ['./.outside/common/data:/d'] },
      },
      configs: { c: { file: './.outside/common/c.conf' } },
    });
  });

  test('by an absolute path', async () => {
    const folder = folderWith({
      ...REPOSITORY,
      'app/compose.yaml': `${WEB}, env_file: "$PWD/../a.env"}}\n`,
      'a.env': 'A=1\n',
    });
    const application = await read(folder, { PWD: join(folder, 'app') });
    expect(shippedService(application)).toMatchObject({ env_file: './.outside/a.env' });
  });

  test('but not over a file of the project', async () => {
    const folder = folderWith({
      ...REPOSITORY,
      'app/compose.yaml': `${WEB}, volumes: ["./:/app"], env_file: ../a.env}}\n`,
      'a.env': 'A=1\n',
      'app/.outside/a.env': 'A=2\n',
    });
    await expect(read(folder)).rejects.toThrow('would both ship as .outside/a.env');
  });
});

describe('a path that no device can follow is refused', () => {
  test.each<[string, string]>([
    ['an env file', `${WEB}, env_file: ../x.env}}\n`],
    ['a mount', `${WEB}, volumes: ["../up:/u"]}}\n`],
    ['a mount that goes out later', `${WEB}, volumes: ["./sub/../../o:/o"]}}\n`],
    ['a config', `${WEB}, configs: [c]}}\nconfigs: {c: {file: ../x.env}}\n`],
    ['a secret', `${WEB}, secrets: [c]}}\nsecrets: {c: {file: ../x.env}}\n`],
    [
      'a bound volume',
      `${WEB}, volumes: ["v:/v"]}}\nvolumes: {v: {driver_opts: {o: bind, device: ../up}}}\n`,
    ],
  ])('outside of everything: %s', async (_, compose) => {
    const folder = folderWith({ 'app/compose.yaml': compose, 'x.env': 'A=1\n' });
    await expect(read(folder)).rejects.toThrow(
      /^\S+: \S+ is outside the project folder .*no device can find it/,
    );
  });

  test.each(['file', 'folder'])('a link out of the project: a %s', async (kind) => {
    const folder = folderWith({
      ...REPOSITORY,
      'app/compose.yaml':
        kind === 'file' ? `${WEB}, env_file: link}}\n` : `${WEB}, volumes: ["./link:/l"]}}\n`,
      file: 'A=1\n',
      'folder/a': 'a',
    });
    symlinkSync(`../${kind}`, join(folder, 'app/link'));
    await expect(read(folder)).rejects.toThrow(/link is a link out of the project folder, to /);
  });

  test.each<[string, string]>([
    ['an env file', `${WEB}, env_file: pipe}}\n`],
    ['a raw env file', `${WEB}, env_file: [{path: pipe, format: raw}]}}\n`],
    ['a config', `${WEB}, configs: [c]}}\nconfigs: {c: {file: pipe}}\n`],
  ])('a named pipe: %s', async (_, compose) => {
    const folder = folderWith({ 'app/compose.yaml': compose });
    execFileSync('mkfifo', [join(folder, 'app/pipe')]);
    await expect(read(folder)).rejects.toThrow(/: pipe is a named pipe$/);
  });

  test('folders that link to each other', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];
    const files = names.map((name) => [`app/d/${name}/file`, '1']);
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`,
      ...(Object.fromEntries(files) as Record<string, string>),
    });
    for (const name of names) {
      for (const other of names) symlinkSync(`../${other}`, join(folder, 'app/d', name, `to-${other}`));
    }
    await expect(read(folder)).rejects.toThrow(
      /^services.web.volumes: links lead to more than 20000 files, the last one is d\/a\/to-b\//,
    );
  }, 60_000);

  test('a link out of the repository', async () => {
    const folder = folderWith({ ...REPOSITORY, 'app/compose.yaml': `${WEB}, env_file: ../link}}\n` });
    symlinkSync('/etc/hosts', join(folder, 'link'));
    await expect(read(folder)).rejects.toThrow('is a link out of the project folder, to /etc/hosts');
  });
});

test('an absolute path outside stays, for the device may have it', async () => {
  const compose = `${WEB}, volumes: ["/etc/hosts:/h", "~/h:/i"], env_file: /etc/hostname}}\n`;
  const application = await read(folderWith({ ...REPOSITORY, 'app/compose.yaml': compose }));
  expect(shippedService(application)).toMatchObject({
    volumes: ['/etc/hosts:/h', '~/h:/i'],
    env_file: '/etc/hostname',
  });
  expect(application.warnings).toEqual(
    ['env_file: /etc/hostname', 'volumes: /etc/hosts', 'volumes: ~/h'].map(
      (what) => `services.web.${what} is outside the project folder: the device must have it`,
    ),
  );
});

test('an absolute path into the project is relative on the device, if the folder exists or not', async () => {
  const folder = folderWith({ 'app/compose.yaml': `${WEB}, volumes: ["\${PWD}/data:/data"]}}\n` });
  for (const place of ['app', 'app/data']) {
    mkdirSync(join(folder, place), { recursive: true });
    const application = await read(folder, { PWD: join(folder, 'app') });
    expect(shippedService(application)).toMatchObject({ volumes: ['./data:/data'] });
    expect(JSON.stringify(textsOf(filesOf(application)))).not.toContain(folder);
  }
});

describe('a mounted project folder ships without', () => {
  /** Paths below the project, and whether a mount of the folder ships them. */
  const PATHS: Record<string, boolean> = {
    'app.js': true,
    'vendor/lib/.git/config': false,
    '.git/config': false,
    'sub/.git': false,
    '.gitignore': true,
    'shop-1.mender': false,
    'old/shop-1.mender.cdx.json': false,
    'old/shop-1.mender.provenance.json': false,
    'old/other.cdx.json': true,
    '.tmp-12-shop-2.mender': false,
    'sub/.tmp-x/y': false,
    '.cache/v1/layers/x': false,
    'key.pem': false,
    'other.pem': true,
    '.npmrc': false,
    'sub/.npmrc': false,
    '.netrc': false,
    '.docker/config.json': false,
    '.docker/other.json': true,
    '.ssh/id_ed25519': false,
    'keys/id_ed25519_sk': false,
    '.aws/credentials': false,
    '.yarnrc.yml': false,
    '.yarnrcXyml': true,
    '.kube/config': false,
    'kube/config': true,
    '.cargo/credentials.toml': false,
    '.cargo/config.toml': true,
    '.m2/settings.xml': false,
    '.pgpass': false,
    '.dockercfg': false,
    'home/.config/containers/auth.json': false,
    '.vault-token': false,
    '.config/mender-docker-delta/config.yaml': false,
    '.mender-clirc': false,
    'keys/cosign.key': false,
    '.hg/hgrc': false,
    '.terraform.d/credentials.tfrc.json': false,
    'refs/HEAD/objects': true,
    '.svn/auth/svn.simple/x': false,
    '.svn/entries': false,
    '.hg/store/x': false,
    'lib/.jj/repo/config.toml': false,
    '.docker/key.pem': false,
    '.docker/contexts/tls/x/key.pem': false,
    '.npmrc~': false,
    '.npmrc.old.bak': false,
    '.git-credentials.lock': false,
    'keys/id_ed25519.bak': false,
    'keys/id_ed25519.pub': true,
    'x.npmrc': true,
    'private-link': false,
    'other-link': true,
    '.menderignore': false,
  };

  test.each(Object.entries(PATHS))('%s ships: %s', async (path, ships) => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: [".:/app"]}}\n`,
      ...(path.endsWith('-link') ? {} : { [`app/${path}`]: '' }),
      'private-file': '',
      'other-file': '',
    });
    const linked = path.endsWith('-link') ? path.replace('-link', '-file') : undefined;
    if (linked !== undefined) linkSync(join(folder, linked), join(folder, 'app', path));
    const hidden = ['.cache/v1', 'key.pem', '../private-file'].map((name) => join(folder, 'app', name));
    const application = await read(folder, {}, hidden);
    expect(shippedNames(application)).toEqual(ships ? [path] : []);
  });

  test.each<[string, string, string, string[]]>([
    ['a file of credentials', '.npmrc', '.npmrc', []],
    ['a folder of keys', '../.ssh', '.ssh/id', []],
    ['a file in a folder of keys', '../.ssh/id', '.ssh/id', []],
    ['the folder around credentials', '../.aws', '.aws/credentials', []],
    ['another link to credentials', '../other', 'd/.npmrc', []],
    ['a repository', '../sub/.git', 'sub/.git/config', []],
    ['another file', '../a', 'a', ['d/link']],
    ['what the ignore file keeps', '../kept/.npmrc', 'kept/.npmrc', ['d/link']],
  ])('a link to credentials: %s', async (_, target, path, expected) => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`,
      'app/.menderignore': '!kept/.npmrc\n',
      [`app/${path.startsWith('.npmrc') ? 'd/.npmrc' : path}`]: 'secret',
      'app/d/.keep': '',
    });
    symlinkSync('d/.npmrc', join(folder, 'app/other'));
    symlinkSync(target, join(folder, 'app/d/link'));
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(['d/.keep', ...expected]);
    const says: unknown = expect.stringMatching(
      /: d\/link\S* leads to \S+, which (?:may hold credentials|is a git repository) and is not shipped$/,
    );
    if (expected.length === 0) expect(application.warnings).toContainEqual(says);
  });

  const BARE = Object.fromEntries(
    ['HEAD', 'config', 'objects/x', 'refs/x'].map((name) => [`app/d/x.git/${name}`, '']),
  );

  test.each<[string, string, string[]]>([
    ['without it', '', ['d/a']],
    ['unless it is kept', '!d/x.git\n', ['d/a', ...Object.keys(BARE).map((path) => path.slice(4))]],
  ])('a bare repository: %s', async (_, rules, expected) => {
    const text = `${WEB}, volumes: ["./d:/d"]}}\n`;
    const folder = folderWith({
      'app/compose.yaml': text,
      'app/.menderignore': rules,
      'app/d/a': '',
      ...BARE,
    });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(expected);
    const warning = 'services.web.volumes: d/x.git is a git repository and is not shipped';
    expect(application.warnings.includes(warning)).toBe(rules === '');
  });

  test('a bare repository with packed references', async () => {
    const names = ['HEAD', 'config', 'objects/x', 'packed-refs'].map((name) => [`app/d/x.git/${name}`, '']);
    const files = { 'app/compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`, 'app/d/a': '' };
    const folder = folderWith({ ...files, ...(Object.fromEntries(names) as Record<string, string>) });
    expect(shippedNames(await read(folder))).toEqual(['d/a']);
  });

  test('a hard link to a file of the build that the Compose file names', async () => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: ["./copy:/c"]}}\n`,
      'token-file': 't',
    });
    linkSync(join(folder, 'token-file'), join(folder, 'app/copy'));
    const privatePaths = [join(folder, 'token-file'), join(folder, 'missing')];
    await expect(read(folder, {}, privatePaths)).rejects.toThrow('is a file of the build and must not ship');
  });

  test('a bare repository that is mounted itself', async () => {
    const folder = folderWith({ 'app/compose.yaml': `${WEB}, volumes: ["./d/x.git:/d"]}}\n`, ...BARE });
    await expect(read(folder)).rejects.toThrow('d/x.git may hold credentials and must not ship');
  });

  test('and says so, with few words', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `shop-${index}.mender`);
    const files = Object.fromEntries(names.map((name) => [`app/${name}`, '']));
    const folder = folderWith({ 'app/compose.yaml': `${WEB}, volumes: [".:/app"]}}\n`, ...files });
    expect((await read(folder)).warnings).toEqual([
      'services.web.volumes: compose.yaml would change how Compose reads the application and is not shipped',
      'services.web.volumes: shop-0.mender, shop-1.mender, shop-2.mender, shop-3.mender, shop-4.mender and 4 more: each is a file of the build and is not shipped',
    ]);
  });

  const BUILD = 'image: b, build: {context: ., secrets: [s], ssh: ["default=./k"]}';
  const MOUNTED = 'image: "web:1", volumes: [".:/app"]';

  test.each<[string, Record<string, string>, string[]]>([
    [
      'an extended file',
      {
        'compose.yaml': `services: {web: {${MOUNTED}, extends: {file: sub/b.yaml, service: b}}}\n`,
        'sub/b.yaml': `services: {b: {${BUILD}}, c: {image: c, build: {ssh: {id: ./c}}}}\nsecrets: {s: {file: ./s}}\n`,
      },
      ['sub/k', 'sub/s', 'sub/c'],
    ],
    [
      'an included file',
      {
        'compose.yaml': `include: [sub/b.yaml]\nservices: {web: {${MOUNTED}}}\n`,
        'sub/b.yaml': `services: {b: {${BUILD}, profiles: [p]}}\nsecrets: {s: {file: "./$S"}}\n`,
        'sub/.env': 'S=s\n',
      },
      ['sub/k', 'sub/s'],
    ],
    [
      'a file with an override that removes the build',
      {
        'compose.yaml': `services: {web: {${MOUNTED}, build: {context: ., ssh: ["default=./k"]}}}\nsecrets: {s: {file: ./s}}\n`,
        'compose.override.yaml': 'services: {web: {build: !reset null}}\nsecrets: {s: {file: ./t}}\n',
      },
      ['k', 's', 't'],
    ],
    [
      'a second document, in an override',
      {
        'compose.yaml': `services: {web: {${MOUNTED}}}\n---\nservices: {web: {build: !override {context: ., ssh: ["a=./k"]}}}\n`,
      },
      ['k'],
    ],
  ])('secrets of the build that %s names', async (_, files, secrets) => {
    const all = { ...files, ...Object.fromEntries(secrets.map((path) => [path, 'secret'])), 'app.js': '' };
    const folder = folderWith(
      Object.fromEntries(Object.entries(all).map(([path, text]) => [`app/${path}`, text])),
    );
    const composeFiles = [join(folder, 'app')];
    const application = await readToShip({ composeFiles, profiles: [], environment: {} });
    const shipped = shippedNames(application).filter((path) => !/\.(?:yaml|env)$/.test(path));
    expect(shipped).toEqual(['app.js']);
    const named = application.warnings.find((warning) => warning.includes('a file of the build')) ?? '';
    for (const path of secrets) expect(named).toContain(path);
  });

  test.each<[string, (folder: string) => Record<string, string>]>([
    ['${PWD}/k', () => ({})],
    ['$PWD/k', (folder) => ({ PWD: folder })],
    ['~/k', (folder) => ({ HOME: folder })],
  ])('the key of a build that is named %s', async (path, environment) => {
    const folder = folderWith({
      'app/compose.yaml': `services: {web: {${MOUNTED}, build: {ssh: ["default=${path}"]}}}\n`,
      'app/k': 'secret',
    });
    const application = await read(folder, environment(join(folder, 'app')));
    expect(shippedNames(application)).toEqual([]);
  });

  test('secrets that no service of the device uses, and keys of a build', async () => {
    const build = 'build: {context: ., secrets: [npm], ssh: ["default=keys/a", other=./keys/b]}';
    const services = [
      `  web: {image: "web:1", ${build}, secrets: [used], volumes: [".:/app", "./named:/n"]}`,
      '  debug: {image: debug, profiles: [debug], secrets: [admin], build: {ssh: {id: keys/c}}}',
    ];
    const secrets = 'npm: {file: npm_token}, admin: {file: ./admin}, used: {file: used}, n: {file: ./named}';
    const others = ['npm_token', 'admin', 'used', 'named', 'keys/a', 'keys/b', 'keys/c', 'app.js'];
    const folder = folderWith({
      'app/compose.yaml': `services:\n${services.join('\n')}\nsecrets: {${secrets}}\n`,
      ...Object.fromEntries(others.map((name) => [`app/${name}`, ''])),
    });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(['app.js', 'named', 'used']);
    expect(application.warnings.join('\n')).toMatch(/admin, keys\/a.*npm_token: each is a file of the build/);
  });

  test('what .menderignore names, but with what it keeps', async () => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: [".:/app", "./named.log:/x"]}}\n`,
      'app/.menderignore': '# notes\n**/*.log\nnode_modules\n!node_modules/kept\n!.npmrc\n!key.pem\n',
      'app/a.log': '',
      'app/sub/b.log': '',
      'app/named.log': '',
      'app/node_modules/gone/x': '',
      'app/node_modules/kept/x': '',
      'app/.npmrc': '',
      'app/key.pem': '',
    });
    const application = await read(folder, {}, [join(folder, 'app/key.pem')]);
    expect(shippedNames(application)).toEqual(['.npmrc', 'named.log', 'node_modules/kept/x']);
  });

  test('a page of --report-html, unless the ignore file keeps it', async () => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`,
      'app/.menderignore': '!d/kept.html\n',
      ...Object.fromEntries(
        ['size.html', 'kept.html', 'size.txt'].map((name) => [`app/d/${name}`, `${PAGE_START}x`]),
      ),
      'app/d/index.html': '<!doctype html>\n<p>',
      'app/d/empty.html': '',
    });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(['d/empty.html', 'd/index.html', 'd/kept.html', 'd/size.txt']);
    expect(application.warnings.join()).toContain('d/size.html is a file of the build and is not shipped');
  });

  test('the signing key, also if it is mounted by name', async () => {
    const folder = folderWith({
      'app/compose.yaml': `${WEB}, volumes: ["./key.pem:/k"]}}\n`,
      'app/key.pem': '',
    });
    await expect(read(folder, {}, [join(folder, 'app/key.pem')])).rejects.toThrow(
      'services.web.volumes: ./key.pem is a file of the build and must not ship',
    );
  });
});

describe('credentials that the Compose file names', () => {
  const WARNED = (path: string) => `${path} may hold credentials and ships, because it is named`;
  const CONFIG = (path: string) => `${WEB}, configs: [c]}}\nconfigs: {c: {file: ${path}}}\n`;
  const MOUNT = (path: string) => `${WEB}, volumes: ["${path}:/d"]}}\n`;

  test.each<[string, string, string]>([
    ['.npmrc', CONFIG('.npmrc'), WARNED('configs.c.file: .npmrc')],
    ['.config/gh/hosts.yml', MOUNT('./.config/gh/hosts.yml'), WARNED('./.config/gh/hosts.yml')],
    ['.config/gcloud/x', MOUNT('./.config/gcloud'), WARNED('services.web.volumes: ./.config/gcloud')],
    ['keys/id_rsa', CONFIG('keys/id_rsa'), WARNED('configs.c.file: keys/id_rsa')],
    ['.netrc', MOUNT('./link'), WARNED('services.web.volumes: ./link')],
  ])('%s ships with a warning', async (path, compose, warning) => {
    const folder = folderWith({ 'app/compose.yaml': compose, [`app/${path}`]: '' });
    symlinkSync('.netrc', join(folder, 'app/link'));
    const application = await read(folder);
    expect(shippedNames(application)).toEqual([path === '.netrc' ? 'link' : path]);
    expect(application.warnings).toEqual([expect.stringContaining(warning)]);
  });

  test.each<[string, string]>([
    ['.git/config', MOUNT('./.git')],
    ['.git/config', MOUNT('./.git/config')],
    ['sub/.git/config', CONFIG('sub/.git/config')],
    ['.ssh/id', MOUNT('./.ssh')],
    ['.ssh/known_hosts', CONFIG('.ssh/known_hosts')],
    ['.ssh/id', MOUNT('./link')],
  ])('%s is refused: %j', async (path, compose) => {
    const folder = folderWith({ 'app/compose.yaml': compose, [`app/${path}`]: '' });
    symlinkSync('.ssh', join(folder, 'app/link'));
    await expect(read(folder)).rejects.toThrow(/ may hold credentials and must not ship$/);
  });

  test('ship without a word if the ignore file keeps them', async () => {
    const folder = folderWith({
      'app/compose.yaml': MOUNT('./.ssh/known_hosts'),
      'app/.menderignore': '!.ssh/known_hosts\n',
      'app/.ssh/known_hosts': '',
    });
    const application = await read(folder);
    expect(shippedNames(application)).toEqual(['.ssh/known_hosts']);
    expect(application.warnings).toEqual([]);
  });
});

test('a Compose file that a device could not read is refused', async () => {
  const labels = 'x'.repeat(1 << 20);
  const application = await read(folderWith({ 'app/compose.yaml': `${WEB}, labels: {a: ${labels}}}}\n` }));
  expect(() => filesOf(application)).toThrow(
    /^the shipped docker-compose.yaml has 10\d{5} bytes, expected at most 1048576/,
  );
});

test('an .env that a device could not read is refused', async () => {
  const folder = folderWith({
    'app/compose.yaml': `${WEB}, volumes: [".:/app"]}}\n`,
    'app/.env': `A=${'x'.repeat(1 << 20)}\n`,
  });
  const application = await read(folder);
  expect(() => filesOf(application)).toThrow('the shipped .env has 1048579 bytes, expected at most 1048576');
});
