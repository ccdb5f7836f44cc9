import type { Edit } from './edits.ts';
import { isBound, parseMount, parseSeccomp, withSource } from '../read/shortSyntax.ts';
import { escapeDollars } from '../read/variables/template.ts';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { isMapping, asList, asMapping, scalarText } from '../read/yaml/value.ts';

/** A place in the Compose file that names a local file or folder. */
export interface FileReference {
  /** For messages: `services.web.env_file`. */
  what: string;
  /** As written, with variables filled in. */
  path: string;
  /** A `raw_env_file` has no references to variables. */
  kind: 'env_file' | 'raw_env_file' | 'label_file' | 'file' | 'mount';
  /** True if Compose starts without it: it ignores the file, or creates an empty folder. */
  isOptional: boolean;
  /** Returns the edits that make the Compose file name another path. */
  renamed(path: string): Edit[];
}

/**
 * Returns every local file and folder that the active services of the model (variables filled in)
 * name.
 */
export function fileReferences(model: Mapping, active: readonly string[]): FileReference[] {
  const services = asMapping(model['services']);
  return active.flatMap((name) => {
    const service = asMapping(services[name]);
    return [
      ...listed(name, 'env_file', service),
      ...listed(name, 'label_file', service),
      ...granted(model, 'configs', service),
      ...granted(model, 'secrets', service),
      ...mounts(name, service),
      ...seccompProfiles(name, service),
      ...boundVolumes(model, service),
    ];
  });
}

function listed(name: string, key: 'env_file' | 'label_file', service: Mapping): FileReference[] {
  const value = service[key];
  return asList(value).map((entry, index) => {
    const at = [
      'services',
      name,
      key,
      ...(Array.isArray(value) ? [index] : []),
      ...(isMapping(entry) ? ['path'] : []),
    ];
    return {
      what: `services.${name}.${key}`,
      path: scalarText(isMapping(entry) ? entry['path'] : entry),
      kind: key === 'label_file' ? key : isRaw(entry) ? 'raw_env_file' : 'env_file',
      isOptional: asMapping(entry)['required'] === false,
      renamed: (path) => [{ at, value: path }],
    };
  });
}

function isRaw(entry: Value): boolean {
  return asMapping(entry)['format'] === 'raw';
}

function granted(model: Mapping, section: 'configs' | 'secrets', service: Mapping): FileReference[] {
  return asList(service[section]).flatMap((entry) => {
    const name = scalarText(isMapping(entry) ? entry['source'] : entry);
    const file = asMapping(asMapping(model[section])[name])['file'];
    if (file === undefined) return [];
    const renamed = (path: string) => [{ at: [section, name, 'file'], value: path }];
    return [
      { what: `${section}.${name}.file`, path: scalarText(file), kind: 'file', isOptional: false, renamed },
    ];
  });
}

function mounts(name: string, service: Mapping): FileReference[] {
  return asList(service['volumes']).flatMap((entry, index) => {
    const { type, source } = parseMount(entry);
    if (type !== 'bind' || source === undefined) return [];
    const isOptional = !isMapping(entry) || asMapping(entry['bind'])['create_host_path'] !== false;
    const at = ['services', name, 'volumes', index];
    const renamed = (path: string) =>
      isMapping(entry) ? [{ at: [...at, 'source'], value: path }] : [{ at, value: shortMount(entry, path) }];
    return [{ what: `services.${name}.volumes`, path: source, kind: 'mount', isOptional, renamed }];
  });
}

/** Compose reads the profile where it runs, and gives its content to Docker. */
function seccompProfiles(name: string, service: Mapping): FileReference[] {
  return asList(service['security_opt']).flatMap((entry, index) => {
    const option = parseSeccomp(entry);
    if (option === undefined) return [];
    const at = ['services', name, 'security_opt', index];
    const renamed = (path: string) => [{ at, value: escapeDollars(`${option.start}${path}`) }];
    const what = `services.${name}.security_opt`;
    return [{ what, path: option.path, kind: 'file', isOptional: false, renamed }];
  });
}

function shortMount(entry: Value, path: string): string {
  return escapeDollars(withSource(scalarText(entry), path));
}

/** Named volumes that are bind mounts: `driver_opts: {o: bind, device: ./data}`. */
function boundVolumes(model: Mapping, service: Mapping): FileReference[] {
  return asList(service['volumes']).flatMap((entry) => {
    const { type, source } = parseMount(entry);
    if (type !== 'volume' || source === undefined) return [];
    const options = asMapping(asMapping(asMapping(model['volumes'])[source])['driver_opts']);
    if (!isBound(options)) return [];
    const at = ['volumes', source, 'driver_opts', 'device'];
    // Compose resolves a relative `device` only if the driver is named.
    const driver = { at: ['volumes', source, 'driver'], value: 'local' };
    const renamed = (path: string) => [driver, { at, value: path }];
    const path = scalarText(options['device']);
    return [{ what: at.slice(0, 2).join('.'), path, kind: 'mount', isOptional: false, renamed }];
  });
}
