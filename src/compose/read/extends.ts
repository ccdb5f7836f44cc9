import { dirname, resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { convertDocument } from './document.ts';
import { mergeMappings } from './merge/merge.ts';
import { movePath, rebaseService } from './paths.ts';
import { refuseRemote } from './remote.ts';
import type { Scope } from './scope.ts';
import { countFile, fill, quietly } from './scope.ts';
import { readComposeYaml } from './yaml/yamlFile.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, asMapping, scalarText } from './yaml/value.ts';

/** The services of one file, and the scope in which they are read. */
interface Family {
  path: string;
  services: Mapping;
  scope: Scope;
  /** Services that are merged already. */
  merged: Map<string, Value>;
  /** Other files that services extend, by path. */
  others: Map<string, Promise<Family>>;
}

/** A service of a file, and the name of the one that it extends. */
interface Link {
  family: Family;
  name: string;
}

/**
 * Merges every service over the one it extends, in the same or in another file. Returns the same
 * object if no service extends another. Throws UsageError for a missing service and for a cycle.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#extends
 */
export async function applyExtends(model: Mapping, path: string, scope: Scope): Promise<Mapping> {
  const services = asMapping(model['services']);
  if (!Object.values(services).some((service) => asMapping(service)['extends'] !== undefined)) return model;
  const family: Family = { path, services, scope, merged: new Map(), others: new Map() };
  const resolved: Mapping = {};
  for (const name of Object.keys(services)) resolved[name] = await mergedService({ family, name });
  return { ...model, services: resolved };
}

/** Follows the chain to its end first, as thousands of services may extend each other. */
async function mergedService(link: Link): Promise<Value> {
  const chain: Link[] = [];
  const seen = new Set<string>();
  let next: Link | undefined = link;
  while (next !== undefined && !next.family.merged.has(next.name)) {
    refuseCycle(next, seen, chain);
    chain.push(next);
    next = await extendedBy(next);
  }
  let base = next;
  for (const one of chain.reverse()) {
    one.family.merged.set(one.name, merge(one, base));
    base = one;
  }
  return link.family.merged.get(link.name) ?? null;
}

function refuseCycle({ family, name }: Link, seen: Set<string>, chain: readonly Link[]): void {
  const here = `${family.path} ${name}`;
  if (!seen.has(here)) {
    seen.add(here);
    return;
  }
  const way = [...chain.map((one) => `${one.family.path} ${one.name}`), here];
  throw new UsageError(`extends has a cycle: ${way.join(' extends ')}`);
}

function merge({ family, name }: Link, base: Link | undefined): Value {
  const service = family.services[name];
  if (!isMapping(service)) return service ?? null;
  const { extends: wanted, ...own } = service;
  if (base === undefined) return wanted === undefined ? service : own;
  const inherited = base.family.merged.get(base.name) ?? null;
  const [from, to] = [base.family.scope.folder, family.scope.folder];
  const moved = from === to ? inherited : rebaseService(inherited, (path) => movePath(path, from, to));
  return mergeMappings(asMapping(moved), own, ['services', name], quietly(family.scope.variables.lookup));
}

async function extendedBy({ family, name }: Link): Promise<Link | undefined> {
  const wanted = asMapping(family.services[name])['extends'];
  if (wanted === undefined || wanted === null) return undefined;
  const service = fill(family.scope, scalarText(isMapping(wanted) ? wanted['service'] : wanted));
  const file = isMapping(wanted) ? fill(family.scope, scalarText(wanted['file'])) : '';
  if (service === '') throw new UsageError(`${family.path}: services.${name}.extends names no service`);
  const other = file === '' ? family : await otherFamily(family, file, `services.${name}.extends`);
  if (Object.hasOwn(other.services, service)) return { family: other, name: service };
  throw new UsageError(
    `${family.path}: services.${name} extends ${service}, which ${other.path} does not have`,
  );
}

function otherFamily(family: Family, file: string, what: string): Promise<Family> {
  refuseRemote(file, what);
  const path = resolve(family.scope.folder, file);
  const known = family.others.get(path) ?? familyIn(path, family);
  family.others.set(path, known);
  return known;
}

async function familyIn(path: string, { scope: outer, others }: Family): Promise<Family> {
  const file = await readComposeYaml(path);
  countFile(outer, file);
  const folder = dirname(path);
  const scope = { ...outer, folder, keepsVariables: outer.keepsVariables && folder === outer.folder };
  const fillQuietly = quietly(scope.variables.lookup);
  let services: Mapping = {};
  for (const document of file.documents) {
    if (document.contents === null) continue;
    const more = asMapping(convertDocument(file, document, scope)['services']);
    services = mergeMappings(services, more, ['services'], fillQuietly);
  }
  return { path, services, scope, merged: new Map(), others };
}
