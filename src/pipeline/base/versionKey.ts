import { softwareNameOf, versionKey } from '../../mender/write/header.ts';

/** The version of an application, and where devices report it. */
interface FoundVersion<Value> {
  key: string;
  /** The first part of the key. */
  softwareFilesystem: string;
  version: Value;
}

/**
 * Returns what `provides` says of the version of an application that runs with this update module,
 * or undefined if it says nothing. Pure.
 */
export function findVersion<Value>(
  provides: Readonly<Record<string, Value>>,
  module: string,
  application: string,
): FoundVersion<Value> | undefined {
  const ending = versionKey('', softwareNameOf(module, application));
  // A key of module docker-compose ends like one of module app.
  const isOther = (key: string): boolean => module === 'app' && key.includes('.mender-docker-compose.');
  const found = Object.entries(provides).find(([key]) => key.endsWith(ending) && !isOther(key));
  if (found === undefined) return undefined;
  const [key, version] = found;
  return { key, softwareFilesystem: key.slice(0, -ending.length), version };
}
