import type { Document } from 'yaml';
import { UsageError } from '../../errors.ts';
import { convertDocument } from './document.ts';
import { applyExtends } from './extends.ts';
import { applyIncludes } from './include.ts';
import { mergeMappings } from './merge/merge.ts';
import type { Scope } from './scope.ts';
import { countFile, quietly } from './scope.ts';
import type { YamlFile } from './yaml/yamlFile.ts';
import { readComposeYaml } from './yaml/yamlFile.ts';
import type { Mapping } from './yaml/value.ts';

/** Compose files, read and merged. */
export interface Loaded {
  /** With its merge tags. */
  model: Mapping;
  /** The only document, if there was nothing to extend, include or merge. */
  only?: { file: YamlFile; document: Document };
}

/**
 * Reads Compose files, with what they extend and include, and merges later ones over earlier ones.
 * Fills in the variables that the scope does not keep. Throws NotFoundError for a missing file and
 * UsageError for anything that Compose refuses.
 */
export async function loadFiles(paths: readonly string[], scope: Scope): Promise<Loaded> {
  let loaded: Loaded | undefined;
  for (const path of paths) {
    refuseCycle(path, scope);
    const file = await readComposeYaml(path);
    countFile(scope, file);
    for (const document of file.documents) {
      if (document.contents === null) continue;
      const next = await loadDocument(file, document, { ...scope, trail: [...scope.trail, path] });
      loaded = loaded === undefined ? next : { model: merged(loaded.model, next.model, scope) };
    }
  }
  return loaded ?? { model: {} };
}

function merged(base: Mapping, over: Mapping, scope: Scope): Mapping {
  return mergeMappings(base, over, [], quietly(scope.variables.lookup));
}

async function loadDocument(file: YamlFile, document: Document, scope: Scope): Promise<Loaded> {
  const own = convertDocument(file, document, scope);
  const extended = await applyExtends(own, file.path, scope);
  const model = await applyIncludes(extended, scope, loadFiles);
  const isWhole = extended === own && model === extended;
  return isWhole ? { model, only: { file, document } } : { model };
}

function refuseCycle(path: string, { trail }: Scope): void {
  if (!trail.includes(path)) return;
  throw new UsageError(`include has a cycle: ${[...trail, path].join(' includes ')}`, {
    hint: 'remove one of these includes',
  });
}
