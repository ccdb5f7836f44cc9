import type { Document } from 'yaml';
import { UsageError } from '../../errors.ts';
import { toValue } from './yaml/toValue.ts';
import { noteSecretFiles } from './secretFiles.ts';
import type { Scope } from './scope.ts';
import { fill } from './scope.ts';
import type { YamlFile } from './yaml/yamlFile.ts';
import { changeStrings } from './yaml/yamlFile.ts';
import { escapeDollars, namesIn } from './variables/template.ts';
import type { Mapping } from './yaml/value.ts';
import { Tagged, isMapping } from './yaml/value.ts';

const SECTIONS = ['services', 'networks', 'volumes', 'configs', 'secrets', 'models'];
const NAME = /^[A-Za-z0-9._-]+$/;

/**
 * Converts the document to plain data. Fills in the variables, also in the document itself, unless
 * the scope keeps them. Throws UsageError, with line and column, for a missing required variable
 * and for anything that is not a Compose file.
 */
export function convertDocument(file: YamlFile, document: Document, scope: Scope): Mapping {
  const { variables, notes, keepsVariables } = scope;
  changeStrings(file, document, (text, at) => {
    const whole = fill(scope, text);
    if (keepsVariables) return text;
    for (const name of namesIn(text).filter((one) => variables.lookup(one) !== undefined)) {
      notes.filled.push({ name, at, file: file.path, origin: variables.originOf(name) });
    }
    return escapeDollars(whole);
  });
  const model = toValue(file, document);
  if (!isMapping(model))
    throw new UsageError(
      `${file.where(document.contents)}: a Compose file must be a mapping with a services section`,
    );
  for (const section of SECTIONS) checkSection(file, model, section);
  noteSecretFiles(model, scope);
  return model;
}

function checkSection(file: YamlFile, model: Mapping, section: string): void {
  const entries = model[section];
  if (entries === undefined || entries === null || entries instanceof Tagged) return;
  if (!isMapping(entries)) throw new UsageError(`${file.path}: ${section} must be a mapping of names`);
  for (const [name, entry] of Object.entries(entries)) {
    if (!NAME.test(name))
      throw new UsageError(
        `${file.path}: ${section}.${name}: a name may only have letters, digits and . _ -`,
      );
    if (isMapping(entry) || entry === null || entry instanceof Tagged) continue;
    throw new UsageError(`${file.path}: ${section}.${name} must be a mapping`);
  }
}
