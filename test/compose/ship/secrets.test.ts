import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import type { Case } from '../cases.ts';
import { filesOf, projectIn, readCase, readToShip, textsOf } from '../project.ts';

/** All shipped text, and what the user is told. */
async function shipText(one: Case): Promise<{ text: string; warnings: string[] }> {
  const application = await readCase(one);
  return { text: JSON.stringify(textsOf(filesOf(application))), warnings: application.warnings };
}

const SECRET = 'hunter2-hunter2';
const WEB = 'services: {web: {image: "web:1"';

/** Projects that name a secret where the device has no use for it. */
const UNUSED: Record<string, Record<string, string>> = {
  'a secret of the build': {
    'compose.yaml': `${WEB}, build: {context: ., secrets: [npm]}}}\nsecrets: {npm: {environment: TOKEN}}\n`,
  },
  'arguments of the build': { 'compose.yaml': `${WEB}, build: {context: ., args: {T: "$TOKEN"}}}}\n` },
  'arguments of the build by name': { 'compose.yaml': `${WEB}, build: {context: ., args: [TOKEN]}}}\n` },
  'an extension with an anchor': {
    'compose.yaml': `x-b: &b {context: ., args: {T: "\${TOKEN}"}}\n${WEB}, build: *b}}\n`,
  },
  'an extension of a service': { 'compose.yaml': `${WEB}, x-note: "\${TOKEN}"}}\n` },
  'an extension of a volume': {
    'compose.yaml': `${WEB}, volumes: ["data:/d"]}}\nvolumes: {data: {x-note: "\${TOKEN}"}}\n`,
  },
  'a service of another profile': {
    'compose.yaml': `${WEB}}, debug: {image: d, profiles: [debug], environment: [TOKEN, "A=$TOKEN"], secrets: [s]}}\nsecrets: {s: {environment: TOKEN}}\n`,
  },
  'a config that no service uses': {
    'compose.yaml': `${WEB}}}\nconfigs: {c: {content: "p=$TOKEN"}}\n`,
  },
  'a config, a network and a volume of another profile': {
    'compose.yaml': `${WEB}}, d: {image: d, profiles: [x], configs: [c], networks: [n], volumes: ["v:/v"]}}
configs: {c: {content: "p=$TOKEN"}}
networks: {n: {driver_opts: {a: "$TOKEN"}}}
volumes: {v: {driver_opts: {a: "$TOKEN"}}}
`,
  },
  develop: {
    'compose.yaml': `${WEB}, develop: {watch: [{path: "\${TOKEN}", action: rebuild}]}}}\n`,
  },
  'the image name': { 'compose.yaml': 'services: {web: {image: "web:1-${TOKEN}"}}\n' },
  'an included file, in a build': {
    'compose.yaml': `include: [i.yaml]\n${WEB}}}\n`,
    'i.yaml': 'services: {i: {image: i, build: {args: {T: "$TOKEN"}}, x-a: "$TOKEN"}}\nx-b: "$TOKEN"\n',
  },
  'an included file, in another profile': {
    'compose.yaml': `include: [i.yaml]\n${WEB}}}\n`,
    'i.yaml':
      'services: {i: {image: i, profiles: [x], environment: ["A=$TOKEN"]}}\nsecrets: {s: {file: "$TOKEN"}}\n',
  },
};

describe('a variable that no shipped service uses is in no artifact', () => {
  const images = { web: 'web:1', i: 'i:1' };

  test.each(Object.entries(UNUSED))('from .env: %s', async (_, files) => {
    const application = await readCase({ files: { ...files, '.env': `TOKEN=${SECRET}\n` } });
    expect(JSON.stringify(textsOf(filesOf(application, images)))).not.toMatch(/hunter2|TOKEN/);
    expect(application.warnings).toEqual([]);
  });

  test.each(Object.entries(UNUSED))('from the environment: %s', async (_, files) => {
    const application = await readCase({ files, environment: { TOKEN: SECRET } });
    expect(JSON.stringify(textsOf(filesOf(application, images)))).not.toMatch(/hunter2|TOKEN/);
    expect(application.warnings).toEqual([]);
  });
});

/** Projects in which TOKEN reaches the device, and the words that say so; PROJECT is the folder. */
const NAMED: Record<string, Case & { said: string }> = {
  'the environment of the build': {
    files: { 'compose.yaml': `${WEB}, environment: ["A=$TOKEN"]}}\n` },
    environment: { TOKEN: SECRET },
    said: 'written into the shipped Compose file from the environment of the build: TOKEN',
  },
  'an include with a value of the environment': {
    files: {
      'compose.yaml': 'include: [i.yaml]\n',
      'i.yaml': `${WEB}, environment: {A: "\${TOKEN}", B: "\${UNSET-}"}}}\n`,
    },
    environment: { TOKEN: SECRET },
    said: 'written into the shipped Compose file from the environment of the build: TOKEN',
  },
  'an include with a .env of its own': {
    files: {
      'compose.yaml': 'include: [sub/i.yaml]\n',
      'sub/i.yaml': `${WEB}, command: ["$TOKEN"]}}\n`,
      'sub/.env': `TOKEN=${SECRET}\n`,
    },
    said: 'written into the shipped Compose file from PROJECT/sub/.env: TOKEN',
  },
  'an include that passes a name of its .env': {
    files: {
      'compose.yaml': 'include: [sub/i.yaml]\n',
      'sub/i.yaml': `${WEB}, environment: [TOKEN]}}\n`,
      'sub/.env': `TOKEN=${SECRET}\n`,
    },
    said: 'written into the shipped Compose file from PROJECT/sub/.env: TOKEN',
  },
  'an include with a config of its .env': {
    files: {
      'compose.yaml': 'include: [sub/i.yaml]\n',
      'sub/i.yaml': `${WEB}, configs: [c]}}\nconfigs: {c: {environment: TOKEN}}\n`,
      'sub/.env': `TOKEN=${SECRET}\n`,
    },
    said: 'written into the shipped Compose file from PROJECT/sub/.env: TOKEN',
  },
  'a file of another folder that is extended': {
    files: {
      'compose.yaml': 'services: {web: {extends: {file: sub/b.yaml, service: base}}}\n',
      'sub/b.yaml': 'services: {base: {image: "web:1", environment: ["A=$TOKEN"]}}\n',
    },
    environment: { TOKEN: SECRET },
    said: 'written into the shipped Compose file from the environment of the build: TOKEN',
  },
};

describe('a variable that is written into the artifact is named', () => {
  test.each(Object.entries(NAMED))('%s', async (_, { said, ...one }) => {
    const { text, warnings } = await shipText(one);
    expect(text).toContain(SECRET);
    const neutral = warnings.map((warning) => warning.replace(/ \/\S+?\/shop\//, ' PROJECT/'));
    expect(neutral).toContain(said);
    expect(warnings.join('\n')).not.toContain(SECRET);
  });

  test('an env file of an include outside the project', async () => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'creds.env'), `TOKEN=${SECRET}\n`);
    const { text, warnings } = await shipText({
      files: {
        'compose.yaml': `include: [{path: i.yaml, env_file: ${outside}/creds.env}]\n`,
        'i.yaml': `${WEB}, environment: ["A=$TOKEN"]}}\n`,
      },
    });
    expect(text).toContain(SECRET);
    expect(warnings).toEqual([`written into the shipped Compose file from ${outside}/creds.env: TOKEN`]);
  });

  test('a .env that is a link out of the project', async () => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'creds.env'), `TOKEN=${SECRET}\nOTHER=x\n`);
    const folder = projectIn({ 'compose.yaml': `${WEB}, environment: ["A=$TOKEN"]}}\n` });
    symlinkSync(join(outside, 'creds.env'), join(folder, '.env'));
    const application = await readToShip({ composeFiles: [folder], profiles: [], environment: {} });
    expect(textsOf(filesOf(application))['.env']).toBe(`TOKEN='${SECRET}'\n`);
    expect(application.warnings).toEqual([
      `written into the shipped .env from ${outside}/creds.env, outside the project folder: TOKEN`,
    ]);
  });

  test('a secret of an include gets a variable of its own, which no other expression reads', async () => {
    const application = await readCase({
      files: {
        'compose.yaml': `include: [sub/i.yaml]\nservices: {a: {image: a, command: ["\${TOKEN:-none}"]}}\n`,
        'sub/i.yaml': `${WEB}, secrets: [t]}}\nsecrets: {t: {environment: TOKEN}}\n`,
        'sub/.env': `TOKEN=${SECRET}\n`,
      },
    });
    const files = textsOf(filesOf(application));
    expect(files['.env']).toBe(`INCLUDED_SECRET_t='${SECRET}'\n`);
    expect(files['docker-compose.yaml']).toContain('environment: INCLUDED_SECRET_t');
    expect(application.warnings).toEqual([
      expect.stringMatching(/^written into the shipped \.env from \/.*\/sub\/\.env: TOKEN$/),
    ]);
  });
});

test('a secret of an include and a .env that ships whole are refused together', async () => {
  const files = {
    'compose.yaml': `include: [sub/i.yaml]\nservices: {a: {image: a, env_file: .env}}\n`,
    'sub/i.yaml': `${WEB}, secrets: [t]}}\nsecrets: {t: {environment: TOKEN}}\n`,
    'sub/.env': `TOKEN=${SECRET}\n`,
    '.env': 'A=1\n',
  };
  await expect(readCase({ files })).rejects.toThrow('/.env ships whole');
});

test.each<[string, string]>([
  ['volumes: ["$TOKEN:/x"]', 'services.web.volumes: $TOKEN is not defined'],
  ['networks: ["$TOKEN"]', 'services.web.networks: $TOKEN is not defined'],
  ['secrets: [{source: "$TOKEN"}]', 'services.web.secrets: $TOKEN is not defined'],
  ['depends_on: ["$TOKEN"]', 'services.web needs $TOKEN, which does not exist'],
  ['env_file: ["$TOKEN"]', 'services.web.env_file: $TOKEN does not exist in '],
])('an error about %s names the variable, never its value', async (text, said) => {
  const files = { 'compose.yaml': `${WEB}, ${text}}}\n`, '.env': `TOKEN=${SECRET}\n` };
  const failure: unknown = await shipText({ files }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect((failure as Error).message).toContain(said);
  expect((failure as Error).stack).not.toContain(SECRET);
});

/** Projects that would ship MENDER_PAT, and where the error says it is. */
const REFUSED: Record<string, Case & { where: string; name?: string }> = {
  'in the name of an image': {
    files: { 'compose.yaml': 'services: {web: {image: "host.example/x/${MENDER_PAT}:1"}}\n' },
    environment: { MENDER_PAT: SECRET },
    where: 'compose.yaml: services.web.image',
  },
  'in the host of an image, through the .env': {
    files: { 'compose.yaml': 'services: {web: {image: "$X.example/x:1"}}\n', '.env': 'X=${MENDER_PAT}\n' },
    environment: { MENDER_PAT: SECRET },
    where: 'compose.yaml: services.web.image',
  },
  'in the settings': {
    files: { 'compose.yaml': `${WEB}}}\nx-mender: {device-type: ["\${MENDER_PAT}"]}\n` },
    environment: { MENDER_PAT: SECRET },
    where: 'compose.yaml: x-mender.device-type',
  },
  'with quotes, behind a variable of the .env': {
    files: { 'compose.yaml': `${WEB}, labels: {A: "$X"}}}\n`, '.env': 'X=${DOCKER_AUTH_CONFIG}\n' },
    environment: { DOCKER_AUTH_CONFIG: '{"auths": {"h": {"auth": "aHVudGVyMg=="}}}' },
    where: 'the shipped docker-compose.yaml: services.web.labels.A',
    name: 'DOCKER_AUTH_CONFIG',
  },
  'of several lines, behind a variable of the .env': {
    files: { 'compose.yaml': `${WEB}, labels: {A: "$X"}}}\n`, '.env': 'X="${MENDER_PAT}"\n' },
    environment: { MENDER_PAT: `${SECRET}\nsecond line\nthird line` },
    where: 'the shipped docker-compose.yaml: services.web.labels.A',
  },
  'with quotes, in an env file': {
    files: { 'compose.yaml': `${WEB}, env_file: a.env}}\n`, 'a.env': 'COPY=$DOCKER_AUTH_CONFIG\n' },
    environment: { DOCKER_AUTH_CONFIG: '{"auths": {"h": {"auth": "aHVudGVyMg=="}}}' },
    where: '/a.env',
    name: 'DOCKER_AUTH_CONFIG',
  },
  'in the environment of a service': {
    files: { 'compose.yaml': `${WEB}, environment: {A: "\${MENDER_PAT}"}}}\n` },
    environment: { MENDER_PAT: SECRET },
    where: 'compose.yaml: services.web.environment.A',
  },
  'in a default': {
    files: { 'compose.yaml': `${WEB}, command: ["\${X:-\${MENDER_PAT}}"]}}\n` },
    environment: { MENDER_PAT: SECRET },
    where: 'compose.yaml: services.web.command',
  },
  'in an included file': {
    files: { 'compose.yaml': 'include: [i.yaml]\n', 'i.yaml': `${WEB}, labels: {A: "$MENDER_PAT"}}}\n` },
    environment: { MENDER_PAT: SECRET },
    where: 'i.yaml: services.web.labels.A',
  },
  'in the .env': {
    files: { 'compose.yaml': `${WEB}, environment: [MENDER_PAT]}}\n`, '.env': `MENDER_PAT=${SECRET}\n` },
    where: '/.env',
  },
  'in the .env of an include': {
    files: {
      'compose.yaml': 'include: [sub/i.yaml]\n',
      'sub/i.yaml': `${WEB}, environment: [MENDER_PAT]}}\n`,
      'sub/.env': `MENDER_PAT=${SECRET}\n`,
    },
    where: 'sub/i.yaml: services.web.environment',
  },
  'in a secret of an include': {
    files: {
      'compose.yaml': 'include: [sub/i.yaml]\n',
      'sub/i.yaml': `${WEB}, secrets: [t]}}\nsecrets: {t: {environment: MENDER_PAT}}\n`,
      'sub/.env': `MENDER_PAT=${SECRET}\n`,
    },
    where: 'sub/i.yaml: secrets.t.environment',
  },
  'in an env file': {
    files: { 'compose.yaml': `${WEB}, env_file: a.env}}\n`, 'a.env': `A=1\nexport MENDER_PAT=${SECRET}\n` },
    where: '/a.env',
  },
  'in a raw env file': {
    files: {
      'compose.yaml': `${WEB}, env_file: [{path: a.env, format: raw}]}}\n`,
      'a.env': `MENDER_PAT=${SECRET}\n`,
    },
    where: '/a.env',
  },
  'behind another variable': {
    files: { 'compose.yaml': `${WEB}, environment: {A: "$TOKEN"}}}\n` },
    environment: { MENDER_PAT: SECRET, TOKEN: SECRET },
    where: 'the shipped docker-compose.yaml: services.web.environment.A',
  },
  'behind another variable of the .env': {
    files: { 'compose.yaml': `${WEB}, environment: {A: "$TOKEN"}}}\n`, '.env': 'TOKEN=${MENDER_PAT}\n' },
    environment: { MENDER_PAT: SECRET },
    where: 'the shipped docker-compose.yaml: services.web.environment.A',
  },
  'as the second on a line of an env file': {
    files: { 'compose.yaml': `${WEB}, env_file: a.env}}\n`, 'a.env': `A='x' MENDER_PAT=${SECRET}\n` },
    where: '/a.env',
  },
  'in a file of labels': {
    files: { 'compose.yaml': `${WEB}, label_file: labels}}\n`, labels: 'MENDER_PAT=x\n' },
    where: '/labels',
  },
  'in a .env that is mounted by name': {
    files: { 'compose.yaml': `${WEB}, volumes: ["./x/.env:/e"]}}\n`, 'x/.env': `MENDER_PAT=${SECRET}\n` },
    where: '/x/.env',
  },
  ...inFiles({
    'a config': [`${WEB}, configs: [a]}}\nconfigs: {a: {file: ./dir/t}}\n`, SECRET],
    'a secret': [`${WEB}, secrets: [a]}}\nsecrets: {a: {file: ./dir/t}}\n`, `x${SECRET}`],
    'a file of labels': [`${WEB}, label_file: dir/t}}\n`, `a=${SECRET}`],
    'a mounted file': [`${WEB}, volumes: ["./dir/t:/t"]}}\n`, `\0\0${SECRET}\0`],
    'a file of a mounted folder': [`${WEB}, volumes: ["./dir:/d"]}}\n`, `pat=${SECRET}\n`],
  }),
  'as a literal': {
    files: { 'compose.yaml': `${WEB}, environment: {A: "x${SECRET}x"}}}\n` },
    environment: { MENDER_PAT: SECRET },
    where: 'the shipped docker-compose.yaml: services.web.environment.A',
  },
};

/** Projects that ship a file with the value of a secret. */
function inFiles(projects: Record<string, [composeFile: string, text: string]>): typeof REFUSED {
  const cases = Object.entries(projects).map(([name, [text, content]]) => [
    `by its value in ${name}`,
    {
      files: { 'compose.yaml': text, 'dir/t': content },
      environment: { MENDER_PAT: SECRET },
      where: '/dir/t',
    },
  ]);
  return Object.fromEntries(cases) as typeof REFUSED;
}

describe('a secret of the build is refused', () => {
  test.each(Object.entries(REFUSED))('%s', async (_, { where, name = 'MENDER_PAT', ...one }) => {
    const failure = await shipText(one).then(
      () => 'shipped',
      (error: unknown) => String(error),
    );
    expect(failure).toContain(`${where}: ${name} is a secret of the build and must not ship`);
    expect(failure).not.toContain(SECRET);
  });

  test.each(['LIBRARY_TOKEN', 'DOCKER_CONFIG_JSON', 'DOCKER_AUTH_CONFIG', 'CI_JOB_TOKEN'])(
    'also %s',
    async (name) => {
      const files = { 'compose.yaml': `${WEB}, command: ["$${name}"]}}\n` };
      await expect(shipText({ files, environment: { [name]: 'x' } })).rejects.toThrow(name);
    },
  );

  test('but not the name alone, which the device fills in', async () => {
    const files = { 'compose.yaml': `${WEB}, environment: [MENDER_PAT]}}\n` };
    const { text } = await shipText({ files, environment: { MENDER_PAT: SECRET } });
    expect(text).not.toContain(SECRET);
  });

  test.each<[string, string | Buffer]>([
    ['.envrc', `A=1; export MENDER_PAT=${SECRET}`],
    ['.envrc', `export A=1 MENDER_PAT=${SECRET}`],
    ['.envrc', `if true; then\n  declare -x MENDER_PAT=${SECRET}\nfi`],
    ['.env', `A=1\rMENDER_PAT\t = ${SECRET}`],
    ['.env', `# MENDER_PAT=${SECRET}`],
    ['.env.bak', `MENDER_PAT=${SECRET}`],
    ['env', `MENDER_PAT=${SECRET}`],
    ['env.prod', `MENDER_PAT=${SECRET}`],
    ['prod.env~', `MENDER_PAT=${SECRET}`],
    ['.env', Buffer.from(`MENDER_PAT=${SECRET}`, 'utf16le')],
    ['.env', Buffer.from(`\uFEFFA=1\nMENDER_PAT=${SECRET}`, 'utf16le').swap16()],
    ['.env', `MENDER_PAT=${SECRET}\n${'#'.repeat(17 << 20)}`],
    ['.env', `${'#'.repeat((1 << 20) - 4)}\nMENDER_PAT=${SECRET}`],
    ['.env', `${'#'.repeat((1 << 20) - 12)}\nMENDER_PAT${' '.repeat(3 << 20)}=${SECRET}`],
  ])('and no mounted folder brings it in a %s, case %#', async (name, content) => {
    const folder = projectIn({ 'compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n` });
    mkdirSync(join(folder, 'd'));
    writeFileSync(join(folder, 'd', name), content);
    const application = await readToShip({ composeFiles: [folder], profiles: [], environment: {} });
    expect(Object.keys(textsOf(filesOf(application)))).toEqual(['docker-compose.yaml']);
    expect(application.warnings).toEqual([
      `services.web.volumes: d/${name} has a secret of the build and is not shipped`,
    ]);
  });

  test('and no mounted folder brings it through a link with the name of an env file', async () => {
    const folder = projectIn({
      'compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`,
      vars: `MENDER_PAT=${SECRET}\n`,
      'd/a': '',
    });
    symlinkSync('../vars', join(folder, 'd/.env'));
    const application = await readToShip({ composeFiles: [folder], profiles: [], environment: {} });
    expect(Object.keys(textsOf(filesOf(application)))).toEqual(['d/a', 'docker-compose.yaml']);
  });

  test.each(['COPY=${MENDER_PAT:-none}\n', 'A=$MENDER_PAT:x\n', 'MY_MENDER_PAT=x\n', 'MENDER_PAT_ID=x\n'])(
    'but %j, which has no value of it, ships',
    async (text) => {
      const files = { 'compose.yaml': `${WEB}, volumes: ["./d:/d"]}}\n`, 'd/.env': text };
      const application = await readCase({ files });
      expect(textsOf(filesOf(application))['d/.env']).toBe(text);
    },
  );

  test('and no mounted folder brings it', async () => {
    const folder = projectIn({
      'compose.yaml': `${WEB}, volumes: ["./:/app", "./sub:/s"]}}\n`,
      '.env': `A=1\nMENDER_PAT=${SECRET}\n`,
      'sub/.env.local': `export LIBRARY_TOKEN = ${SECRET}\n`,
      'sub/.env': 'A=1\n',
      'sub/.envrc': `export MENDER_PAT=${SECRET}\n`,
      'sub/prod.env': `MENDER_PAT=${SECRET}\n`,
    });
    mkdirSync(join(folder, 'empty'));
    const application = await readToShip({ composeFiles: [folder], profiles: [], environment: {} });
    expect(Object.keys(textsOf(filesOf(application)))).toEqual(['docker-compose.yaml', 'sub/.env']);
    expect(application.warnings).toContain(
      'services.web.volumes: .env, sub/.env.local, sub/.envrc, sub/prod.env: each has a secret of the build and is not shipped',
    );
  });
});
