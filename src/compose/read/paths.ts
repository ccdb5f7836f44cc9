import { isAbsolute, join, relative } from 'node:path';
import { isBound, isPath, parseMount, withSource } from './shortSyntax.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, asMapping, scalarText } from './yaml/value.ts';

/** True if the path means something else in another folder. */
function isRelative(path: string): boolean {
  return !isAbsolute(path) && !path.startsWith('~');
}

/**
 * Rewrites the relative paths of the model (bind mounts, env and label files, files of configs and
 * secrets, bound volumes) from the folder `from` to the folder `to`, both absolute. `build` and
 * `develop` stay as they are, since a device uses neither.
 */
export function rebase(model: Mapping, from: string, to: string): Mapping {
  if (from === to) return model;
  const move = (path: string) => movePath(path, from, to);
  return {
    ...model,
    ...changed(model, 'services', (service) => rebaseService(service, move)),
    ...changed(model, 'configs', (config) => withMoved(config, 'file', move)),
    ...changed(model, 'secrets', (secret) => withMoved(secret, 'file', move)),
    ...changed(model, 'volumes', (volume) => withMovedDevice(volume, move)),
  };
}

/** Applies `move` to the relative paths of one service. */
export function rebaseService(service: Value, move: (path: string) => string): Value {
  if (!isMapping(service)) return service;
  const moveAll = (value: Value): Value =>
    Array.isArray(value)
      ? value.map(moveAll)
      : isMapping(value)
        ? withMoved(value, 'path', move)
        : move(scalarText(value));
  const moveMounts = (value: Value): Value =>
    Array.isArray(value) ? value.map((entry) => moveMount(entry, move)) : value;
  return {
    ...service,
    ...changedKey(service, 'env_file', moveAll),
    ...changedKey(service, 'label_file', moveAll),
    ...changedKey(service, 'volumes', moveMounts),
  };
}

/**
 * Rewrites a path relative to `from` as a path relative to `to`, like `./data` or `../shared/x`.
 */
export function movePath(path: string, from: string, to: string): string {
  if (path === '' || !isRelative(path)) return path;
  const moved = relative(to, join(from, path));
  return moved.startsWith('..') ? moved : `./${moved}`;
}

function moveMount(entry: Value, move: (path: string) => string): Value {
  const { type, source } = parseMount(entry);
  if (type !== 'bind' || source === undefined) return entry;
  if (isMapping(entry)) return { ...entry, source: move(source) };
  return isPath(source) ? withSource(scalarText(entry), move(source)) : entry;
}

function withMoved(value: Value, key: string, move: (path: string) => string): Value {
  return isMapping(value) ? { ...value, ...changedKey(value, key, (path) => move(scalarText(path))) } : value;
}

function withMovedDevice(volume: Value, move: (path: string) => string): Value {
  const options = asMapping(asMapping(volume)['driver_opts']);
  return isMapping(volume) && isBound(options)
    ? { ...volume, driver_opts: withMoved(options, 'device', move) }
    : volume;
}

function changedKey(mapping: Mapping, key: string, change: (value: Value) => Value): Mapping {
  const value = mapping[key];
  return value === undefined || value === null ? {} : { [key]: change(value) };
}

function changed(model: Mapping, section: string, change: (value: Value) => Value): Mapping {
  return changedKey(model, section, (entries) =>
    Object.fromEntries(Object.entries(asMapping(entries)).map(([name, entry]) => [name, change(entry)])),
  );
}
