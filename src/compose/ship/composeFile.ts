import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import { Document as YamlDocument, isScalar, parseDocument, visit } from 'yaml';
import { toValue } from '../read/yaml/toValue.ts';
import type { Edit } from './edits.ts';
import { editDocument, editModel } from './edits.ts';
import type { YamlFile } from '../read/yaml/yamlFile.ts';
import { isNumberLike } from '../read/yaml/yamlFile.ts';
import type { Mapping } from '../read/yaml/value.ts';

/** The one Compose file of a project, as its author wrote it. */
export interface AuthoredFile {
  file: YamlFile;
  document: Document;
}

/**
 * Returns the text of the edited model. A project of one Compose file keeps its comments and layout
 * if reading the text again gives exactly the edited model. Otherwise (the edits removed an anchor
 * that is still used, say) the text is written from the model.
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
    return undefined; // an alias is in the way, or an anchor that is still used was removed
  }
}

/**
 * Writes `{a: null}` for `{a: }`: in `{a:, b}` the YAML reader of Compose takes the colon as part
 * of the key.
 */
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
