import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../helpers/temporary.ts';
import type { ReadyApplication } from '../project.ts';
import { filesOf, projectIn, readCase, readManifest, readToShip, textsOf } from '../project.ts';

const COMPOSE_FILE = 'docker-compose.yaml';

function shipped(application: ReadyApplication, images: Record<string, string> = {}): Record<string, string> {
  return textsOf(filesOf(application, images));
}

const readFolder = (folder: string, environment: Record<string, string> = {}) =>
  readToShip({ composeFiles: [folder], profiles: [], environment });

describe('the shipped Compose file', () => {
  test('keeps comments and layout of a single Compose file', async () => {
    const text = (settings: string, image: string, more: string) => `# The shop.
name: shop
${settings}
services:
  web:
    # pinned
    image: ${image}
${more}    ports:
    - "8080:80"
    - "\${PORT:-81}:81"

  db:
    image: postgres:16
`;
    const debug = '  debug:\n    image: debug\n    profiles: [debug]\n';
    const application = await readManifest(
      text('x-mender: { platform: linux/arm64 }\n', '"shop/web:${TAG:-1}" # from CI', '    build: .\n') +
        debug,
      { TAG: '2' },
    );
    expect(application.settings).toEqual({ platform: 'linux/arm64' });
    expect(application.projectName).toBe('shop');
    expect(shipped(application, { web: 'shop/web:2' })[COMPOSE_FILE]).toBe(text('', 'shop/web:2', ''));
  });

  test.each([
    ['MyApp', 'myapp'],
    ['my.app', 'myapp'],
    ['_x-1', 'x-1'],
    ['"a;touch$${IFS}owned"', 'atouchifsowned'],
    ['"..."', undefined],
  ])('has the name that Compose makes of name: %s', async (name, expected) => {
    const application = await readManifest(`name: ${name}\nservices: {web: {image: "web:1"}}\n`);
    expect(application.projectName).toBe(expected);
  });

  test('gives each service its own image if an anchor shares one', async () => {
    const application = await readManifest('services: {a: &a {image: "x:1@sha256:0"}, b: *a, c: {<<: *a}}\n');
    const text = shipped(application, { a: 'x:a', b: 'x:b', c: 'x:c' })[COMPOSE_FILE];
    expect(parse(text!)).toEqual({
      services: { a: { image: 'x:a' }, b: { image: 'x:b' }, c: { image: 'x:c' } },
    });
  });

  test('is right when a service with an anchor does not ship', async () => {
    const application = await readManifest(
      'services: {a: {image: a, profiles: [x], environment: &e {K: "012"}}, b: {image: b, environment: *e}}\n',
    );
    const text = shipped(application)[COMPOSE_FILE];
    expect(parse(text!)).toEqual({ services: { b: { image: 'b', environment: { K: '012' } } } });
    expect(text).toContain('"012"');
  });

  test('has no pull policy that asks a registry', async () => {
    const application = await readManifest(
      'services: {a: {image: a, pull_policy: always}, b: {image: b, pull_policy: never}}\n',
    );
    const text = shipped(application)[COMPOSE_FILE];
    expect(parse(text!)).toEqual({
      services: { a: { image: 'a' }, b: { image: 'b', pull_policy: 'never' } },
    });
    expect(application.warnings).toEqual([expect.stringContaining('services.a: pull_policy always')]);
  });

  test('can be written twice, the same', async () => {
    const application = await readManifest('services: {a: {image: a, build: .}}\n');
    expect(shipped(application, { a: 'x' })).toEqual(shipped(application, { a: 'x' }));
  });
});

describe('variables', () => {
  test('stay where the .env gives them, and only what they need is shipped', async () => {
    const application = await readCase({
      files: {
        '.env': 'TAG=1\nLEVEL=info\nTOKEN=secret\nPASSED=p\n',
        'compose.yaml':
          'services: {a: {image: "a:${TAG}", command: ["$LEVEL", "${NO:-x}"], environment: [PASSED]}}\n',
      },
    });
    const files = shipped(application);
    expect(files['.env']).toBe("LEVEL='info'\nPASSED='p'\n");
    expect(files[COMPOSE_FILE]).toContain('- $LEVEL\n      - ${NO:-x}\n');
    expect(application.services).toEqual([{ name: 'a', image: 'a:1', hasBuild: false }]);
    expect(application.warnings).toEqual([]);
  });

  test('are written out where the build gives them, with a word about it', async () => {
    const application = await readManifest(
      'services: {a: {image: "a:$TAG", build: {context: "$CTX"}, command: ["$LEVEL", "$NO"], environment: [HOME]}}\n',
      { TAG: '1', CTX: 'c', LEVEL: '$5', HOME: '/root' },
    );
    expect(shipped(application)[COMPOSE_FILE]).toContain('- $$5\n      - $NO\n');
    expect(application.warnings).toEqual([
      'variables without a value, read as empty: NO',
      'written into the shipped Compose file from the environment of the build: LEVEL',
      "the device's environment gives these, not the build's: HOME",
    ]);
  });

  test('in an env file that the device may not have are named', async () => {
    const application = await readCase({
      files: { 'a.env': 'X=${CI_JOB}\n', 'compose.yaml': 'services: {a: {image: a, env_file: a.env}}\n' },
      environment: { CI_JOB: '7' },
    });
    expect(application.warnings).toEqual([expect.stringContaining('env files refer to CI_JOB')]);
  });

  test('are not looked for in a raw env file', async () => {
    const application = await readCase({
      files: {
        'a.env': 'X=${A-$B\n',
        'compose.yaml': 'services: {a: {image: a, env_file: [{path: a.env, format: raw}]}}\n',
      },
    });
    expect(shipped(application)['a.env']).toBe('X=${A-$B\n');
  });

  test('of the project name', async () => {
    const application = await readManifest('services: {a: {image: "r/${COMPOSE_PROJECT_NAME}:1"}}\n');
    expect(application.services[0]?.image).toBe('r/shop:1');
    const named = 'name: "${APP:-x}.App-2"\nservices: {a: {image: "r/${COMPOSE_PROJECT_NAME}:1"}}\n';
    expect((await readManifest(named, { APP: 'My' })).services[0]?.image).toBe('r/myapp-2:1');
  });

  test('that change Compose or Docker themselves are written into the Compose file', async () => {
    const folder = projectIn({
      'compose.yaml':
        'services: {a: {image: a, labels: {h: "$DOCKER_HOST", d: "$COMPOSE_DOMAIN", p: "${COMPOSE_PROJECT_NAME}"}}}\n',
      '.env': 'DOCKER_HOST=tcp://h\nCOMPOSE_DOMAIN=x.org\n',
    });
    const files = shipped(await readFolder(folder));
    expect(parse(files[COMPOSE_FILE]!)).toMatchObject({
      services: { a: { labels: { h: 'tcp://h', d: '$COMPOSE_DOMAIN', p: '${COMPOSE_PROJECT_NAME}' } } },
    });
    expect(files['.env']).toBe("COMPOSE_DOMAIN='x.org'\n");
  });

  test('that change Docker itself are refused where only their name is given', async () => {
    const folder = projectIn({
      'compose.yaml': 'services: {a: {image: a, environment: [DOCKER_HOST]}}\n',
      '.env': 'DOCKER_HOST=tcp://h\n',
    });
    await expect(readFolder(folder)).rejects.toThrow(/^DOCKER_HOST of .*\.env can't ship/);
  });
});

describe('local files', () => {
  test('travel at their places with their modes, links followed inside the project only', async () => {
    const folder = projectIn({
      'compose.yaml': 'services: {a: {image: a, volumes: ["./conf:/c", "./run.sh:/run.sh"]}}\n',
      'conf/deep/b': 'b',
      'conf/a': 'a',
      'run.sh': '#!/bin/sh\n',
      'shared/s': 's',
    });
    chmodSync(join(folder, 'run.sh'), 0o755);
    chmodSync(join(folder, 'conf/a'), 0o600);
    symlinkSync('../shared', join(folder, 'conf/link'));
    symlinkSync('..', join(folder, 'conf/deep/up'));
    symlinkSync('/etc/passwd', join(folder, 'conf/out'));
    symlinkSync('nowhere', join(folder, 'conf/dead'));
    mkdirSync(join(folder, 'conf/none'));
    const application = await readFolder(folder);
    const files = filesOf(application);
    expect(files.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual([
      'conf/a 600',
      'conf/deep/b 644',
      'conf/link/s 644',
      'docker-compose.yaml 644',
      'run.sh 755',
    ]);
    expect(application.warnings).toEqual([
      'services.a.volumes: conf/dead is a link to nothing and is not shipped',
      'services.a.volumes: conf/deep/up is a link into itself and is not shipped',
      'services.a.volumes: conf/none is an empty folder and is not shipped',
      'services.a.volumes: conf/out is a link out of the project folder and is not shipped',
    ]);
  });

  test('named by an absolute path into the project are named by a relative one', async () => {
    const folder = projectIn({
      'compose.yaml':
        'services: {a: {image: a, volumes: ["$PWD/d:/d"], configs: [c]}}\nconfigs: {c: {file: "$PWD/c"}}\n',
      'd/f': 'f',
      c: 'c',
    });
    const files = shipped(await readFolder(folder, { PWD: folder }));
    expect(Object.keys(files)).toEqual(['c', 'd/f', COMPOSE_FILE]);
    expect(files[COMPOSE_FILE]).toContain('./d:/d');
    expect(files[COMPOSE_FILE]).toContain('./c');
    expect(files[COMPOSE_FILE]).not.toContain(folder);
  });

  test('of a bound volume are found by a device, which looks for them where the driver is named', async () => {
    const folder = projectIn({
      'compose.yaml':
        'services: {a: {image: a, volumes: ["v:/v"]}}\nvolumes: {v: {driver_opts: {o: bind, device: "$PWD/d"}}}\n',
      'd/f': 'f',
    });
    const files = shipped(await readFolder(folder, { PWD: folder }));
    expect(Object.keys(files)).toEqual(['d/f', COMPOSE_FILE]);
    expect(parse(files[COMPOSE_FILE]!)).toMatchObject({
      volumes: { v: { driver: 'local', driver_opts: { o: 'bind', device: './d' } } },
    });
  });

  test('of a whole project leave out the repository and other Compose files', async () => {
    const folder = projectIn({
      'compose.yaml': 'services: {a: {image: a, volumes: [".:/app"]}}\n',
      'compose.override.yaml': 'services: {a: {command: [x]}}\n',
      '.git/config': 'token',
      'src/compose.yaml': 'mine',
      '.env': 'A=1\n',
    });
    const application = await readFolder(folder);
    const files = shipped(application);
    expect(Object.keys(files)).toEqual(['.env', COMPOSE_FILE, 'src/compose.yaml']);
    expect(application.warnings).toEqual([
      'services.a.volumes: .git is a git repository and is not shipped',
      'services.a.volumes: compose.override.yaml, compose.yaml: each would change how Compose reads the application and is not shipped',
    ]);
  });

  test('of services that do not run stay behind', async () => {
    const folder = projectIn({
      'compose.yaml':
        'services: {a: {image: a}, b: {image: b, profiles: [x], env_file: gone.env, secrets: [s]}}\nsecrets: {s: {file: ./gone}}\n',
    });
    expect(Object.keys(shipped(await readFolder(folder)))).toEqual([COMPOSE_FILE]);
  });

  test('are found from a project folder behind a link', async () => {
    const folder = projectIn({
      'compose.yaml': 'services: {a: {image: a, env_file: [a.env]}}\n',
      'a.env': 'A=1',
    });
    const link = join(temporaryFolder(), 'link');
    symlinkSync(folder, link);
    expect(Object.keys(shipped(await readFolder(link)))).toEqual(['a.env', COMPOSE_FILE]);
  });

  test("that can't be read are named, before anything is fetched", async () => {
    const folder = projectIn({
      'compose.yaml': 'services: {a: {image: a, secrets: [s]}}\nsecrets: {s: {file: s}}\n',
      s: 'secret',
    });
    chmodSync(dirname(folder), 0o755);
    chmodSync(join(folder, 's'), 0);
    const user = process.geteuid?.() ?? 0;
    if (user === 0) process.seteuid?.(65534); // root may read everything
    const read = await readFolder(folder).then(
      () => 'read',
      (error: unknown) => String(error),
    );
    process.seteuid?.(user);
    expect(read).toBe(`UsageError: secrets.s.file: reading ${join(folder, 's')}: permission denied`);
  });

  test('that are neither file nor folder stay behind', async () => {
    const folder = projectIn({ 'compose.yaml': 'services: {a: {image: a, volumes: ["./d:/d"]}}\n' });
    mkdirSync(join(folder, 'd'));
    symlinkSync('/dev/null', join(folder, 'd/null'));
    expect(Object.keys(shipped(await readFolder(folder)))).toEqual([COMPOSE_FILE]);
  });
});

test('services of other profiles are known, and do not run', async () => {
  const application = await readManifest(
    'services: {a: {image: a, platform: linux/arm64}, b: {image: b, profiles: [x]}}\n',
  );
  expect(application.services).toEqual([{ name: 'a', image: 'a', hasBuild: false, platform: 'linux/arm64' }]);
  expect(application.inactive).toEqual(['b']);
});
