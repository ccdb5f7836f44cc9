import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseDotenv } from '../../../src/compose/read/variables/dotenv.ts';
import { keyed } from '../../../src/compose/read/merge/merge.ts';
import { parseMount, parsePort } from '../../../src/compose/read/shortSyntax.ts';
import type { Mapping, Value } from '../../../src/compose/read/yaml/value.ts';
import { isMapping, asList, asMapping, scalarText } from '../../../src/compose/read/yaml/value.ts';

type Lookup = (name: string) => string | undefined;

/** One service in the form in which two spellings of the same thing are equal. */
export function normalService(service: Mapping, folder: string, lookup: Lookup): Record<string, unknown> {
  return {
    image: service['image'] ?? null,
    command: words(service['command']),
    entrypoint: words(service['entrypoint']),
    environment: environmentOf(service, folder, lookup),
    labels: texts(keyed(service['labels'])),
    sysctls: texts(keyed(service['sysctls'])),
    ports: asList(service['ports']).flatMap(portsOf).sort(),
    expose: asList(service['expose']).map(scalarText).sort(),
    volumes: asList(service['volumes'])
      .map((entry) => mountOf(entry, folder))
      .sort(),
    devices: asList(service['devices'])
      .map((entry) => parseMount(entry))
      .map(({ source, target }) => `${source ?? ''}:${target}`),
    configs: grants(service['configs'], '/'),
    secrets: grants(service['secrets'], '/run/secrets/'),
    networks: networksOf(service),
    depends_on: dependenciesOf(service),
    extra_hosts: hostsOf(service['extra_hosts']),
    dns: asList(service['dns']).map(scalarText).sort(),
    tmpfs: asList(service['tmpfs']).map(scalarText).sort(),
    cap_add: asList(service['cap_add']).map(scalarText).sort(),
    logging: service['logging'] ?? null,
    test: words(asMapping(service['healthcheck'])['test'], 'CMD-SHELL'),
    ulimits: service['ulimits'] ?? null,
    replicas: asMapping(service['deploy'])['replicas'] ?? null,
    restart: service['restart'] ?? null,
    pull_policy: service['pull_policy'] ?? null,
  };
}

function words(value: Value | undefined, shell?: string): string[] | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && shell !== undefined) return [shell, value];
  return typeof value === 'string' ? value.split(' ') : asList(value).map(scalarText);
}

function texts(mapping: Mapping): Record<string, string> {
  return Object.fromEntries(Object.entries(mapping).map(([key, value]) => [key, scalarText(value)]));
}

function environmentOf(service: Mapping, folder: string, lookup: Lookup): Record<string, string | null> {
  const all: Record<string, string | null> = {};
  const known: Lookup = (name) => lookup(name) ?? all[name] ?? undefined;
  for (const entry of asList(service['env_file'])) {
    const path = join(folder, scalarText(isMapping(entry) ? entry['path'] : entry));
    for (const [name, value] of parseDotenv(textIfAny(path), path, known)) all[name] = value;
  }
  for (const [name, value] of Object.entries(keyed(service['environment'])))
    all[name] = value === null ? (lookup(name) ?? null) : scalarText(value);
  return all;
}

function textIfAny(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function portsOf(entry: Value): string[] {
  const { hostIp, published, target, protocol } = parsePort(entry);
  const [targets, outside] = [range(target), range(published)];
  return targets.map((port, at) => `${hostIp}|${outside[at] ?? ''}|${port}/${protocol}`);
}

function range(text: string): string[] {
  const [from = '', to = from] = text.split('-');
  if (from === '') return [];
  return Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => String(Number(from) + at));
}

function mountOf(entry: Value, folder: string): string {
  const { type, source = '', target } = parseMount(entry);
  const place = type === 'bind' && !source.startsWith('/') ? join(folder, source) : source;
  return `${type}|${place}|${target}`;
}

function grants(value: Value | undefined, folder: string): string[] {
  return asList(value).map((entry) => {
    const source = scalarText(isMapping(entry) ? entry['source'] : entry);
    const mode = modeOf(scalarText(asMapping(entry)['mode']));
    return `${source}|${scalarText(asMapping(entry)['target']) || folder + source}|${mode}`;
  });
}

/** Old versions write the number, new ones its octal form. */
function modeOf(text: string): string {
  return /^0\d+$/.test(text) ? String(Number.parseInt(text, 8)) : text;
}

function networksOf(service: Mapping): Record<string, unknown> {
  if (service['network_mode'] !== undefined) return {};
  const networks = service['networks'];
  if (networks === undefined) return { default: null };
  return Array.isArray(networks)
    ? Object.fromEntries(networks.map((name) => [scalarText(name), null]))
    : asMapping(networks);
}

/** With the dependencies that links and shared namespaces imply, as Compose writes them out. */
function dependenciesOf(service: Mapping): Record<string, string> {
  const implied = [
    ...['network_mode', 'ipc', 'pid']
      .map((key) => scalarText(service[key]))
      .filter((text) => text.startsWith('service:')),
    ...asList(service['links']).map((link) => `service:${scalarText(link)}`),
  ].map((text) => [text.split(':')[1] ?? '', 'service_started'] as const);
  const dependsOn = service['depends_on'];
  const own = isMapping(dependsOn)
    ? Object.entries(dependsOn).map(([name, how]) => [name, scalarText(asMapping(how)['condition'])] as const)
    : asList(dependsOn).map((name) => [scalarText(name), 'service_started'] as const);
  return Object.fromEntries([...implied, ...own]);
}

function hostsOf(value: Value | undefined): string[] {
  const list = isMapping(value)
    ? Object.entries(value).map(([host, ip]) => `${host}=${scalarText(ip)}`)
    : asList(value).map(scalarText);
  return list.map((text) => text.replace(/^([^=:]+)[=:]/, '$1=')).sort();
}
