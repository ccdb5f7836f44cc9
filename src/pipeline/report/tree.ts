import type { ExaminedFile } from './examined.ts';
import { judgeFile } from './judgeFile.ts';
import type { Amounts, SizeNode } from './model.ts';

/** Levels of folders. A hostile layer may have a path of thousands. */
const DEEPEST = 64;

/** A file of a layer with its amounts. */
export interface TreeFile {
  file: ExaminedFile;
  amounts: Amounts;
  /** False if it is counted in the rest of its folder. */
  isShown: boolean;
}

/**
 * Returns the folders and files of a layer as a tree. What is not shown is summed in the nearest
 * folder that has something to show. A folder with one folder in it is one node. Pure.
 */
export function treeOf(name: string, files: readonly TreeFile[]): SizeNode {
  const root = folderNode(name);
  const folders = new Map<string, SizeNode>([['', root]]);
  for (const { file, amounts, isShown } of files) {
    if (isShown) folderFor(folderOf(file.path), folders).nodes.push(fileNode(file, amounts));
  }
  const rests = new Map<SizeNode, SizeNode>();
  for (const { file, amounts, isShown } of files) {
    if (isShown) continue;
    const folder = nearestFolder(file.path, folders);
    const rest = rests.get(folder) ?? folderNode('');
    rests.set(folder, rest);
    addTo(rest, amounts, file.kind === 'file' ? 1 : 0);
  }
  for (const [folder, rest] of rests) folder.nodes.push({ ...rest, name: restName(rest.files) });
  return joined(summed(root));
}

function restName(files: number): string {
  return files === 0 ? 'folders and links' : files === 1 ? '1 more file' : `${files} more files`;
}

function folderNode(name: string): SizeNode {
  return { name, state: null, files: 0, nodes: [], ...noAmounts() };
}

/** Nothing of everything. */
export function noAmounts(): Amounts {
  return { size: 0, kept: 0, moved: 0, sent: 0, cost: 0 };
}

function fileNode(file: ExaminedFile, amounts: Amounts): SizeNode {
  return { name: nameOf(file.path), state: judgeFile(file), files: 1, nodes: [], ...amounts };
}

/** Adds amounts to a node or a sum. */
export function addAmounts(sum: Amounts, { size, kept, moved, sent, cost }: Amounts): void {
  sum.size += size;
  sum.kept += kept;
  sum.moved += moved;
  sum.sent += sent;
  sum.cost += cost;
}

function addTo(node: SizeNode, amounts: Amounts, files: number): void {
  addAmounts(node, amounts);
  node.files += files;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** The folder of the file, or the one above it at the deepest level that the page shows. */
function folderOf(path: string): string {
  return parentOf(path).split('/').slice(0, DEEPEST).join('/');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Makes the folder and those above it. */
function folderFor(path: string, folders: Map<string, SizeNode>): SizeNode {
  const missing: string[] = [];
  let [known, folder] = [path, folders.get(path)];
  while (folder === undefined) {
    missing.push(known);
    known = parentOf(known);
    folder = folders.get(known);
  }
  for (const one of missing.toReversed()) {
    const next = folderNode(nameOf(one));
    folder.nodes.push(next);
    folders.set(one, next);
    folder = next;
  }
  return folder;
}

function nearestFolder(path: string, folders: ReadonlyMap<string, SizeNode>): SizeNode {
  let parent = folderOf(path);
  let folder = folders.get(parent);
  while (folder === undefined) {
    parent = parentOf(parent);
    folder = folders.get(parent);
  }
  return folder;
}

/** The same tree with the sums of the folders, and those first that cost most. */
function summed(node: SizeNode): SizeNode {
  if (node.nodes.length === 0) return node;
  const nodes = node.nodes.map(summed).sort(largestFirst);
  const sum = folderNode(node.name);
  for (const part of nodes) addTo(sum, part, part.files);
  return { ...sum, nodes };
}

function largestFirst(one: SizeNode, other: SizeNode): number {
  return other.cost - one.cost || other.size - one.size || (one.name < other.name ? -1 : 1);
}

/** `usr` with nothing in it but `lib` becomes `usr/lib`. */
function joined(node: SizeNode): SizeNode {
  const nodes = node.nodes.map((part) => joinedChain(part));
  return { ...node, nodes };
}

function joinedChain(node: SizeNode): SizeNode {
  const [only, ...more] = node.nodes;
  if (only === undefined || more.length > 0 || only.nodes.length === 0) return joined(node);
  return joinedChain({ ...only, name: `${node.name}/${only.name}` });
}
