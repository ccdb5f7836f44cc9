// Writes the types of the library as one file without imports of ours: everything that src/index.ts
// exports, and every type that those declarations mention. The file ships as dist/types/index.d.ts,
// and a copy without comments is the committed report of the interface.
import { join, resolve } from 'node:path';
import ts from 'typescript';

const OPTIONS = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  allowImportingTsExtensions: true,
};

/** The emitted declarations of all sources that `entry` reaches, by path. */
function emitted(entry) {
  const program = ts.createProgram([entry], {
    ...OPTIONS,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck: true,
  });
  const files = new Map();
  program.emit(undefined, (path, text) => {
    files.set(resolve(path), text.replace(/((?:from|import\()\s*['"]\.[^'"]*)\.ts(['"])/g, '$1.js$2'));
  });
  return files;
}

/** A program over the declarations, which exist in memory only. */
function programOver(files, entry) {
  const host = ts.createCompilerHost(OPTIONS);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => files.has(resolve(path)) || (!isSource(path) && fileExists(path));
  host.readFile = (path) => files.get(resolve(path)) ?? readFile(path);
  host.getSourceFile = (path, ...rest) => {
    const text = files.get(resolve(path));
    return text === undefined ? getSourceFile(path, ...rest) : ts.createSourceFile(path, text, rest[0], true);
  };
  return ts.createProgram([entry], { ...OPTIONS, noEmit: true }, host);
}

const isSource = (path) => path.endsWith('.ts') && !path.endsWith('.d.ts');

class Collector {
  #checker;
  #isOurs;
  /** Texts by name. */
  found = new Map();
  /** Names of types by the module of Node.js that has them. */
  imports = new Map();
  #symbols = new Map();

  constructor(checker, isOurs) {
    this.#checker = checker;
    this.#isOurs = isOurs;
  }

  add(symbol) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    const known = this.#symbols.get(target.name);
    if (known === target) return;
    if (known !== undefined)
      throw new Error(`two declarations have the name ${target.name}: rename one of them`);
    this.#symbols.set(target.name, target);
    for (const declaration of target.declarations ?? []) this.#addDeclaration(target.name, declaration);
  }

  #addDeclaration(name, declaration) {
    const statement = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration;
    const node = this.#isInferred(statement) ? this.#writtenOut(name, statement) : statement;
    this.found.set(name, [...(this.found.get(name) ?? []), { node, original: statement }]);
    const visit = (child) => {
      if (ts.isImportTypeNode(child)) throw new Error(`${name}: its type is not written out`);
      if (ts.isIdentifier(child)) this.#follow(child);
      ts.forEachChild(child, visit);
    };
    visit(node);
  }

  /** True for an alias whose type comes from another package, like the type of a schema. */
  #isInferred(statement) {
    if (!ts.isTypeAliasDeclaration(statement)) return false;
    const isForeign = (child) => {
      const symbol = ts.isIdentifier(child) ? this.#checker.getSymbolAtLocation(child) : undefined;
      const from = symbol === undefined ? '' : moduleOf(symbol);
      return (from !== '' && !/^(node:|\.)/.test(from)) || ts.forEachChild(child, isForeign) === true;
    };
    return isForeign(statement.type);
  }

  /** The alias with the fields of its type in place of a reference to another package. */
  #writtenOut(name, statement) {
    const { NoTruncation, InTypeAlias, MultilineObjectLiterals } = ts.NodeBuilderFlags;
    const flags = NoTruncation | InTypeAlias | MultilineObjectLiterals;
    const type = this.#checker.typeToTypeNode(this.#checker.getTypeAtLocation(statement), statement, flags);
    return ts.factory.createTypeAliasDeclaration(undefined, name, undefined, type);
  }

  #follow(identifier) {
    // A type that is written out has its symbols with it.
    const symbol = identifier.pos < 0 ? identifier.symbol : this.#checker.getSymbolAtLocation(identifier);
    if (symbol === undefined) return;
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    const target = isAlias ? this.#checker.getAliasedSymbol(symbol) : symbol;
    const [declaration] = target.declarations ?? [];
    if (declaration === undefined) return;
    const file = declaration.getSourceFile();
    const isTop =
      [file, file.statements].includes(declaration.parent) ||
      ts.isVariableStatement(declaration.parent?.parent ?? file);
    if (this.#isOurs(file) && isTop) this.add(target);
    else if (isAlias && !this.#isOurs(file)) this.#import(symbol);
  }

  /** A type of a module outside. Only those of Node.js exist wherever the package is installed. */
  #import(symbol) {
    const from = moduleOf(symbol);
    if (!from.startsWith('node:'))
      throw new Error(`the library's types mention ${symbol.name} of ${from || 'another package'}`);
    this.imports.set(from, new Set([...(this.imports.get(from) ?? []), symbol.name]));
  }
}

/** The name of the module that an imported name comes from, else an empty text. */
function moduleOf(symbol) {
  const clause = symbol.declarations?.find((one) => ts.isImportSpecifier(one));
  return clause?.parent.parent.parent.moduleSpecifier.text ?? '';
}

const order = ([a], [b]) => (a < b ? -1 : 1);

/**
 * What src/index.ts exports and everything behind it. It takes some seconds, so it is done once.
 */
function collect(root) {
  const files = emitted(join(root, 'src/index.ts'));
  const top = resolve(root, 'src/index.d.ts');
  const program = programOver(files, top);
  const checker = program.getTypeChecker();
  const collector = new Collector(checker, (file) => files.has(resolve(file.fileName)));
  const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(top)));
  for (const symbol of exported) collector.add(symbol);
  return { collector, exported };
}

let collected;

/** The declaration file. `comments`: false leaves them out. */
export function declarations(root, { comments = true } = {}) {
  collected ??= collect(root);
  const { collector, exported } = collected;
  const names = new Set(exported.map((symbol) => symbol.name));
  const printer = ts.createPrinter({ removeComments: !comments });
  const text = (name, { node, original }) => {
    const comment = comments ? `${commentOf(original)}\n` : '';
    const printed = printer
      .printNode(ts.EmitHint.Unspecified, node, original.getSourceFile())
      .replace(/^\/\*\*[\s\S]*?\*\/\s*/, '');
    const bare = printed.replace(/^(export )?(declare )?/, '');
    const keyword = /^(interface|type) /.test(bare) ? '' : 'declare ';
    return `${comment}${names.has(name) ? 'export ' : ''}${keyword}${bare}`.trim();
  };
  const imports = [...collector.imports]
    .sort(order)
    .map(([from, all]) => `import type { ${[...all].sort().join(', ')} } from '${from}';`);
  const bodies = [...collector.found]
    .sort(order)
    .flatMap(([name, all]) => [...new Set(all.map((one) => text(name, one)))]);
  return `${[...imports, ...(imports.length > 0 ? [''] : []), bodies.join('\n\n'), '', 'export {};'].join('\n')}\n`;
}

function commentOf(node) {
  const all = node.getSourceFile().text;
  const range = ts.getLeadingCommentRanges(all, node.getFullStart())?.at(-1);
  return range === undefined ? '' : all.slice(range.pos, range.end);
}
