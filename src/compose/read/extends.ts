import { dirname, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { convertDocument } from './document.ts';
import { mergeMappings } from './merge/merge.ts';
import { movePath, rebaseService } from './paths.ts';
import type { Scope } from './scope.ts';
import { fill, quietly } from './scope.ts';
import { readYamlFile } from './yaml/yamlFile.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, asMapping, scalarText } from './yaml/value.ts';

/** The services of one file, and the scope in which they are read. */
interface Family {
  path: string;
  services: Mapping;
  scope: Scope;
}

/**
 * Merges every service over the one it extends, in the same or in another file. Returns the same
 * object if no service extends another. Throws UsageError for a missing service and for a cycle.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#extends
 */
export async function applyExtends(model: Mapping, path: string, scope: Scope): Promise<Mapping> {
  const services = asMapping(model['services']);
  if (!Object.values(services).some((service) => asMapping(service)['extends'] !== undefined)) return model;
  const family: Family = { path, services, scope };
  const resolved: Mapping = {};
  for (const name of Object.keys(services)) resolved[name] = await resolveService(family, name, []);
  return { ...model, services: resolved };
}

async function resolveService(family: Family, name: string, trail: readonly string[]): Promise<Value> {
  const service = family.services[name];
  if (!isMapping(service)) return service ?? null;
  const { extends: wanted, ...own } = service;
  if (wanted === undefined || wanted === null) return service;
  const here = `${family.path} ${name}`;
  if (trail.includes(here))
    throw new UsageError(`extends has a cycle: ${[...trail, here].join(' extends ')}`);
  const base = await baseOf(family, name, wanted, [...trail, here]);
  const fillQuietly = quietly(family.scope.variables.lookup);
  return mergeMappings(asMapping(base), own, ['services', name], fillQuietly);
}

async function baseOf(family: Family, name: string, wanted: Value, trail: readonly string[]): Promise<Value> {
  const service = fill(family.scope, scalarText(isMapping(wanted) ? wanted['service'] : wanted));
  const file = isMapping(wanted) ? fill(family.scope, scalarText(wanted['file'])) : '';
  if (service === '') throw new UsageError(`${family.path}: services.${name}.extends names no service`);
  const other = file === '' ? family : await familyIn(resolve(family.scope.folder, file), family.scope);
  if (!Object.hasOwn(other.services, service))
    throw new UsageError(
      `${family.path}: services.${name} extends ${service}, which ${other.path} does not have`,
    );
  const base = await resolveService(other, service, trail);
  const [from, to] = [other.scope.folder, family.scope.folder];
  return from === to ? base : rebaseService(base, (path) => movePath(path, from, to));
}

async function familyIn(path: string, outer: Scope): Promise<Family> {
  const file = await readYamlFile(path);
  outer.notes.files.add(path);
  const folder = dirname(path);
  const scope = { ...outer, folder, keepsVariables: outer.keepsVariables && folder === outer.folder };
  const fillQuietly = quietly(scope.variables.lookup);
  let services: Mapping = {};
  for (const document of file.documents) {
    if (document.contents === null) continue;
    const more = asMapping(convertDocument(file, document, scope)['services']);
    services = mergeMappings(services, more, ['services'], fillQuietly);
  }
  return { path, services, scope };
}
