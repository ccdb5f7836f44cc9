import { resolve } from 'node:path';
import type { Scope } from './scope.ts';
import { quietly } from './scope.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { asList, asMapping, isMapping, scalarText, withoutTags } from './yaml/value.ts';

/**
 * Notes the files of secrets and the keys of `build.ssh` that one Compose file names, absolute. The
 * merged model does not have all of them: an override may take some away, and `extends` takes only
 * one service of a file.
 */
export function noteSecretFiles(model: Mapping, { folder, variables, notes }: Scope): void {
  const sections = asMapping(
    withoutTags({ secrets: model['secrets'] ?? null, services: model['services'] ?? null }),
  );
  const files = Object.values(asMapping(sections['secrets'])).map((secret) => asMapping(secret)['file']);
  const keys = Object.values(asMapping(sections['services'])).flatMap(sshKeys);
  // Compose sets PWD itself.
  const fill = quietly((name) => variables.lookup(name) ?? (name === 'PWD' ? folder : undefined));
  const paths = [...files, ...keys].map((path) => fill(scalarText(path)));
  for (const path of paths)
    if (path !== '') notes.secretFiles.add(resolve(folder, withHome(path, fill('$HOME'))));
}

/** The paths in `build.ssh`, as a mapping or as `ID=PATH`. */
function sshKeys(service: Value): Value[] {
  const ssh = asMapping(asMapping(service)['build'])['ssh'];
  if (isMapping(ssh)) return Object.values(ssh);
  return asList(ssh).map((entry) => /=(.*)$/s.exec(scalarText(entry))?.[1] ?? '');
}

/** Compose reads `~/key` in the home folder. */
function withHome(path: string, home: string): string {
  return path.replace(/^~(?=\/|$)/, () => home);
}
