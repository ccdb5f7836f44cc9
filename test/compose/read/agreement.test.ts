import { describe, expect, test } from 'vitest';
import type { Application } from '../../../src/compose/application.ts';
import type { Mapping } from '../../../src/compose/read/yaml/value.ts';
import { asMapping } from '../../../src/compose/read/yaml/value.ts';
import { projectVariables } from '../../../src/compose/read/variables/variables.ts';
import { findCompose, findNewestCompose } from '../../helpers/compose.ts';
import type { Case } from '../cases.ts';
import { CASES } from '../cases.ts';
import { normalService } from './normal.ts';
import { projectIn } from '../project.ts';
import { readIn, resolveBoth, resolveOriginal } from '../reference.ts';

describe.each([
  ['of a device', findCompose()],
  ['the newest one', findNewestCompose()],
])('the real docker compose, %s, agrees', (_which, command) => {
  if (command === undefined) {
    test('is not asked, as SKIP_DEVICE=1 says', () => expect(process.env['SKIP_DEVICE']).toBe('1'));
    return;
  }
  test.each(Object.entries(CASES))('%s', async (_name, one) => {
    const folder = projectIn(one.files);
    const application = await readIn(one, folder);
    const real = resolveOriginal(command, one, folder);
    expect(await ownModel(application, one)).toEqual(normalModel(real, folder));

    const { wanted, shipped } = resolveBoth(command, application, real, folder);
    expect(shipped).toEqual(wanted);
  });
});

async function ownModel(application: Application, one: Case): Promise<Record<string, unknown>> {
  const environment = { HOME: '/root', ...one.environment };
  const { lookup } = await projectVariables(application.projectFolder, environment);
  const services = asMapping(application.model['services']);
  const own = application.services.map(({ name }) => [
    name,
    normalService(asMapping(services[name]), application.projectFolder, lookup),
  ]);
  return Object.fromEntries(own) as Record<string, unknown>;
}

function normalModel(real: Mapping, folder: string): Record<string, unknown> {
  const nothing = () => undefined;
  const services = Object.entries(asMapping(real['services']));
  return Object.fromEntries(
    services.map(([name, service]) => [name, normalService(asMapping(service), folder, nothing)]),
  );
}
