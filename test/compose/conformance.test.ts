import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMPOSE_SCHEMA } from '../../src/compose/read/schema/composeSchema.ts';
import type { Mapping } from '../../src/compose/read/yaml/value.ts';
import { asMapping } from '../../src/compose/read/yaml/value.ts';
import type { ComposeCommand } from '../helpers/compose.ts';
import { findCompose, findNewestCompose } from '../helpers/compose.ts';
import type { Case } from './cases.ts';
import { FORMS, NEWER_FORMS, NOT_SHIPPED } from './conformance/serviceForms.ts';
import { mergeProject } from './conformance/mergeProject.ts';
import { NEWER_PROJECTS } from './conformance/newerProjects.ts';
import { NEWER_RESOURCE_FORMS, RESOURCE_FORMS } from './conformance/resourceForms.ts';
import { resourceProject } from './conformance/resourceProject.ts';
import { serviceProject, withPorts } from './conformance/serviceProject.ts';
import { NO_VARIABLE, asDefault, formsWith, inEnvFile, resourcesWith } from './conformance/variableForms.ts';
import { projectIn, readCase } from './project.ts';
import { readIn, resolveBoth, resolveOriginal } from './reference.ts';

type Services = Record<string, string>;

/** The services of a table of forms: one for each form, named by attribute and number. */
function servicesOf(forms: Record<string, readonly string[]>, suffix = ''): Record<string, string> {
  return Object.fromEntries(
    Object.entries(forms).flatMap(([attribute, texts]) =>
      texts.map((text, index) => [`${attribute}-${index}${suffix}`, withPorts(text, `0${index}`)]),
    ),
  );
}

async function resolve(command: ComposeCommand, one: Case): Promise<{ wanted: Mapping; shipped: Mapping }> {
  const folder = projectIn(one.files);
  return resolveBoth(command, await readIn(one, folder), resolveOriginal(command, one, folder), folder);
}

const OLD = servicesOf(FORMS);
const ALL = { ...OLD, ...servicesOf(NEWER_FORMS, '-newer') };

describe.each([
  ['of a device', findCompose(), OLD, false],
  ['the newest one', findNewestCompose(), ALL, true],
] as const)('the real docker compose, %s, resolves alike', (_which, command, services, isNewest) => {
  if (command === undefined) {
    test('is not asked, as SKIP_DEVICE=1 says', () => expect(process.env['SKIP_DEVICE']).toBe('1'));
    return;
  }
  // All in one project, as each start of Compose takes long.
  test('each form of each attribute of a service', async () => {
    const { wanted, shipped } = await resolve(command, serviceProject(services, isNewest));
    expect(Object.keys(asMapping(wanted['services']))).toEqual(expect.arrayContaining(Object.keys(services)));
    expect(shipped).toEqual(wanted);
  });

  test.each(isNewest ? [FORMS, NEWER_FORMS] : [FORMS])(
    'each form over each other form, table %#',
    async (forms) => {
      const { wanted, shipped } = await resolve(command, mergeProject(forms, isNewest));
      expect(shipped).toEqual(wanted);
    },
    60_000,
  );

  const tables = isNewest ? [FORMS, NEWER_FORMS] : [FORMS];
  const resources = isNewest ? [RESOURCE_FORMS, NEWER_RESOURCE_FORMS] : [RESOURCE_FORMS];
  /** All forms, with scalars written by `write`. */
  function written(write: (scalar: string) => string): Case[] {
    const all = tables.map((forms, index) => servicesOf(formsWith(write, forms), `-${index}`));
    const own = resources.map((forms) => resourcesWith(write, forms));
    return [serviceProject(Object.assign({}, ...all) as Services, isNewest), resourceProject(...own)];
  }

  test('each scalar as the default of a variable', async () => {
    for (const one of written(asDefault)) {
      const { wanted, shipped } = await resolve(command, one);
      expect(shipped).toEqual(wanted);
    }
  });

  test('each scalar from a file of --env-file', async () => {
    const { write, file } = inEnvFile();
    for (const { files } of written(write)) {
      const { '.env': usual = '', ...others } = files;
      const folder = projectIn({ ...others, 'prod.env': usual + file() });
      const one = { files, environment: { COMPOSE_ENV_FILES: join(folder, 'prod.env') } };
      const { wanted, shipped } = resolveBoth(
        command,
        await readIn(one, folder),
        resolveOriginal(command, one, folder),
        folder,
      );
      expect(shipped).toEqual(wanted);
    }
  });

  test.each(
    tables.flatMap((forms) => Object.entries(NO_VARIABLE).filter(([attribute]) => attribute in forms)),
  )('%s is refused with a variable for %j', async (attribute, keys) => {
    for (const forms of tables.map((table) => table[attribute] ?? [])) {
      for (const form of forms.filter((text) => keys.some((key) => text.includes(`${key}:`)))) {
        const text = form.replace(new RegExp(`(${keys.join('|')}): ([^,}]+)`, 'g'), '$1: "${X:-$2}"');
        const one = serviceProject({ web: text }, isNewest);
        expect(() => resolveOriginal(command, one, projectIn(one.files)), text).toThrow();
        await expect(readCase(one), text).rejects.toThrow();
      }
    }
  });

  test('each form of each resource', async () => {
    const one = resourceProject(RESOURCE_FORMS, ...(isNewest ? [NEWER_RESOURCE_FORMS] : []));
    const { wanted, shipped } = await resolve(command, one);
    expect(shipped).toEqual(wanted);
  });
});

test('each attribute of a service has a form here, or a reason why it does not ship', () => {
  const schema = JSON.parse(COMPOSE_SCHEMA) as {
    definitions: { service: { properties: Record<string, unknown> } };
  };
  const known = [...Object.keys(FORMS), ...Object.keys(NEWER_FORMS), ...Object.keys(NOT_SHIPPED)];
  expect([...new Set(known)].sort()).toEqual(Object.keys(schema.definitions.service.properties).sort());
});

test.each(Object.entries(NEWER_PROJECTS))(
  'the newest docker compose resolves alike: %s',
  async (_name, one) => {
    const command = findNewestCompose();
    if (command === undefined) return;
    const { wanted, shipped } = await resolve(command, one);
    expect(shipped).toEqual(wanted);
  },
);

test('x-mender of a later file is merged', async () => {
  const files = {
    'compose.yaml': 'x-mender: {platform: linux/arm64, device-type: [a]}\nservices: {web: {image: web}}\n',
    'over.yaml': 'x-mender: {platform: linux/amd64}\n',
  };
  const { settings } = await readCase({ files, composeFiles: ['compose.yaml', 'over.yaml'] });
  expect(settings).toEqual({ platform: 'linux/amd64', 'device-type': ['a'] });
});

test('gpus: all is not merged over other gpus, as Compose refuses it', async () => {
  const web = (gpus: string) => `services: {web: {image: web, gpus: ${gpus}}}\n`;
  const composeFiles = ['compose.yaml', 'over.yaml'];
  const one = { files: { 'compose.yaml': web('[{count: 1}]'), 'over.yaml': web('all') }, composeFiles };
  await expect(readCase(one)).rejects.toThrow("can't merge services.web.gpus");
  const command = findNewestCompose();
  if (command === undefined) return;
  expect(() => resolveOriginal(command, one, projectIn(one.files))).toThrow('cannot override');
});
