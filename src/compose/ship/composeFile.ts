import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import { Document as YamlDocument, isScalar, parseDocument, visit } from 'yaml';
import { toValue } from '../read/yaml/toValue.ts';
import type { Edit } from './edits.ts';
import { editDocument, editModel } from './edits.ts';
import type { YamlFile } from '../read/yaml/yamlFile.ts';
import { isNumberLike } from '../read/yaml/yamlFile.ts';
import type { Mapping } from '../read/yaml/value.ts';

/** A single manifest that is the whole project. */
export interface AuthoredFile {
  file: YamlFile;
  document: Document;
}

/**
 * The text of the edited model. Where one manifest is the whole project it keeps its comments and layout, provided that
 * reading it again gives exactly the edited model; otherwise (an anchor that went with its service, say) the model is
 * written anew.
 */
export function composeFileText(model: Mapping, edits: readonly Edit[], authored?: AuthoredFile): string {
  const edited = editModel(model, edits);
  const text = authored === undefined ? undefined : editedText(authored, edits);
  return text !== undefined && isDeepStrictEqual(readBack(text), edited) ? text : writtenText(edited);
}

function editedText({ file, document }: AuthoredFile, edits: readonly Edit[]): string | undefined {
  try {
    const copy = document.clone();
    editDocument(copy, edits);
    nameNulls(copy);
    return copy.toString({ lineWidth: 0, ...layoutOf(file.text) });
  } catch {
    return undefined; // an edit met an alias, or removed an anchor that is still used
  }
}

/** Writes `{a: null}` for `{a: }`: behind a comma the YAML reader of Compose takes the colon of `{a:, b}` for part of the key. */
function nameNulls(document: Document): void {
  visit(document, {
    Map(_key, { flow, items }) {
      if (flow !== true) return;
      for (const { value } of items) if (isScalar(value) && value.source === '') value.source = 'null';
    },
  });
}

function readBack(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error' });
  if (document.errors.length > 0) return undefined;
  try {
    return toValue({ path: '', text, documents: [], where: () => '' }, document);
  } catch {
    return undefined;
  }
}

function layoutOf(text: string): { indent: number; indentSeq: boolean } {
  const indent = /^( {1,8})[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  return { indent, indentSeq: !/^( *)[^\s#-][^\n]*:[^\S\n]*\n\1- /m.test(text) };
}

function writtenText(model: Mapping): string {
  const document = new YamlDocument(model, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return;
      // Compose's YAML reader refuses a block that begins with a tab.
      if (isNumberLike(node.value) || /^\s/.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
