import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import { Document as YamlDocument, isScalar, parseDocument, visit } from 'yaml';
import { LINEAR } from '../../io/yaml.ts';
import { toValue } from '../read/yaml/toValue.ts';
import type { Edit } from './edits.ts';
import { editDocument, editModel } from './edits.ts';
import type { YamlFile } from '../read/yaml/yamlFile.ts';
import { isNumberLike } from '../read/yaml/yamlFile.ts';
import type { Mapping } from '../read/yaml/value.ts';
import { asMapping, scalarText } from '../read/yaml/value.ts';

/** The one Compose file of a project, as its author wrote it. */
export interface AuthoredFile {
  file: YamlFile;
  document: Document;
}

/**
 * Returns the text of the edited model, in which each service's image is a plain `image: NAME` on a
 * line of its own: the update module reads the names with grep. A project of one Compose file keeps
 * its comments and layout if reading the text again gives exactly the edited model. Otherwise (the
 * edits removed an anchor that is still used, say) the text is written from the model.
 */
export function composeFileText(model: Mapping, edits: readonly Edit[], authored?: AuthoredFile): string {
  const edited = editModel(model, edits);
  const images = imagesOf(edited);
  const isRight = (text: string) => isDeepStrictEqual(readBack(text), edited) && findsImages(text, images);
  const kept = authored === undefined ? undefined : editedText(authored, edits, [...images.keys()]);
  if (kept !== undefined && isRight(kept)) return kept;
  const written = writtenText(edited, [...images.keys()]);
  return isRight(written) ? written : writtenText(edited, []);
}

/** Returns the image of each service, empty if it has none. */
export function imagesOf(model: Mapping): Map<string, string> {
  const services = Object.entries(asMapping(model['services']));
  return new Map(services.map(([name, service]) => [name, scalarText(asMapping(service)['image'])]));
}

function findsImages(text: string, images: ReadonlyMap<string, string>): boolean {
  const wanted = [...images.values()].filter(Boolean);
  return isDeepStrictEqual(grepImages(text).sort(), wanted.sort());
}

/**
 * Returns the images that the update module finds in a Compose file, with `grep -E "^\\s+image:" |
 * cut -d: -f2-` and split at blanks. It deletes those of the old file that the new one lacks.
 */
export function grepImages(text: string): string[] {
  const lines = text.split('\n').filter((line) => /^\s+image:/.test(line));
  return lines.flatMap((line) => line.slice(line.indexOf(':') + 1).split(/\s+/)).filter(Boolean);
}

function editedText(
  { file, document }: AuthoredFile,
  edits: readonly Edit[],
  services: readonly string[],
): string | undefined {
  try {
    const copy = document.clone();
    editDocument(copy, edits);
    writeImagesPlain(copy, services);
    nameNulls(copy);
    return copy.toString({ lineWidth: 0, ...layoutOf(file.text) });
  } catch {
    return undefined; // an alias is in the way, or an anchor that is still used was removed
  }
}

/** Writes the images of these services without quotes, and without a comment on the same line. */
function writeImagesPlain(document: Document, services: readonly string[]): void {
  for (const name of services) {
    const node = document.getIn(['services', name, 'image'], true);
    if (!isScalar(node)) continue;
    node.type = 'PLAIN';
    node.comment = null;
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
  const document = parseDocument(text, LINEAR);
  if (document.errors.length > 0) return undefined;
  try {
    return toValue({ path: '', text, documents: [], where: () => '' }, document);
  } catch {
    return undefined;
  }
}

function layoutOf(text: string): { indent: number; indentSeq: boolean } {
  const indent = /^( {1,8})[^\s#-]/m.exec(text)?.[1]?.length ?? 2;
  return { indent, indentSeq: !hasFlushList(text.split('\n')) };
}

/** True if a list begins in the same column as its key. */
function hasFlushList(lines: readonly string[]): boolean {
  return lines.some((line, index) => {
    const indentation = /^ */.exec(line)?.[0] ?? '';
    const isKey = /[^\s#-]/.test(line.charAt(indentation.length)) && line.trimEnd().endsWith(':');
    return isKey && lines[index + 1]?.startsWith(`${indentation}- `) === true;
  });
}

function writtenText(model: Mapping, plainImages: readonly string[]): string {
  const document = new YamlDocument(model, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_key, node) {
      // The YAML reader of Compose takes -0 for an integer, which has no sign.
      if (Object.is(node.value, -0)) node.minFractionDigits = 1;
      if (typeof node.value !== 'string') return;
      // The YAML reader of Compose refuses a block that begins with a tab, and merges a plain <<.
      if (isNumberLike(node.value) || /^\s|^<<$/.test(node.value)) node.type = 'QUOTE_DOUBLE';
    },
  });
  writeImagesPlain(document, plainImages);
  return document.toString({ lineWidth: 0 });
}
