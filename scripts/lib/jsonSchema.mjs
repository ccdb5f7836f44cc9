// Makes a JSON Schema of a type of the sources, so that what `--json` prints and what the schema
// says are one thing. Interfaces become definitions, with their comments.
// https://json-schema.org/draft/2020-12
import { join } from 'node:path';
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
  noEmit: true,
};

const { TypeFlags } = ts;
const PRIMITIVES = [
  [TypeFlags.StringLike | TypeFlags.TemplateLiteral, { type: 'string' }],
  [TypeFlags.NumberLike, { type: 'number' }],
  [TypeFlags.BooleanLike, { type: 'boolean' }],
  [TypeFlags.Null, { type: 'null' }],
  [TypeFlags.Unknown | TypeFlags.Any | TypeFlags.NonPrimitive, {}],
];

class Writer {
  #checker;
  #place;
  definitions = {};

  constructor(checker, place) {
    this.#checker = checker;
    this.#place = place;
  }

  schemaOf(type) {
    if (type.isUnion()) return this.#union(type.types);
    if (type.isLiteral()) return { const: type.value };
    if (type.flags & TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' };
    const known = PRIMITIVES.find(([flags]) => type.flags & flags);
    if (known !== undefined) return known[1];
    if (this.#checker.isArrayType(type)) {
      const [item] = this.#checker.getTypeArguments(type);
      return { type: 'array', items: this.schemaOf(item) };
    }
    return type.isClassOrInterface() ? this.#reference(type) : this.#object(type);
  }

  /** `undefined` is no value of JSON: a property that may have it may be missing. */
  #union(types) {
    const present = types.filter(({ flags }) => !(flags & TypeFlags.Undefined));
    const [isTrue, isFalse] = ['true', 'false'].map((name) =>
      present.find((one) => one.intrinsicName === name),
    );
    const others = present.filter((one) => !(isTrue && isFalse) || (one !== isTrue && one !== isFalse));
    const texts = others.filter((one) => one.isStringLiteral()).map(({ value }) => value);
    const all = [
      ...(isTrue && isFalse ? [{ type: 'boolean' }] : []),
      ...(texts.length > 0 ? [{ enum: texts.sort() }] : []),
      ...others.filter((one) => !one.isStringLiteral()).map((one) => this.schemaOf(one)),
    ];
    return all.length === 1 ? all[0] : { anyOf: all };
  }

  #reference(type) {
    const { name } = type.symbol;
    if (this.definitions[name] === undefined) {
      this.definitions[name] = {};
      this.definitions[name] = { ...this.#description(type.symbol), ...this.#object(type) };
    }
    return { $ref: `#/$defs/${name}` };
  }

  #object(type) {
    const values = type.getStringIndexType();
    const properties = type.getProperties();
    const required = properties.filter((one) => !this.#mayBeMissing(one)).map(({ name }) => name);
    return {
      type: 'object',
      ...(properties.length > 0 && {
        properties: Object.fromEntries(properties.map((one) => [one.name, this.#property(one)])),
      }),
      ...(required.length > 0 && { required }),
      ...(values !== undefined && { additionalProperties: this.schemaOf(values) }),
    };
  }

  #typeOf(symbol) {
    return this.#checker.getTypeOfSymbolAtLocation(symbol, this.#place);
  }

  #mayBeMissing(symbol) {
    const type = this.#typeOf(symbol);
    const isUndefined = type.isUnion() && type.types.some(({ flags }) => flags & TypeFlags.Undefined);
    return isUndefined || (symbol.flags & ts.SymbolFlags.Optional) !== 0;
  }

  #property(symbol) {
    return { ...this.#description(symbol), ...this.schemaOf(this.#typeOf(symbol)) };
  }

  #description(symbol) {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)).replace(/\s+/g, ' ');
    return text === '' ? {} : { description: text };
  }
}

/** The schema of the exported type `name` in the source `file`, with `head` before it. */
export function jsonSchema(root, file, name, head) {
  const path = join(root, file);
  const program = ts.createProgram([path], OPTIONS);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(path);
  const symbol = checker
    .getExportsOfModule(checker.getSymbolAtLocation(source))
    .find((one) => one.name === name);
  const writer = new Writer(checker, source);
  const schema = writer.schemaOf(checker.getDeclaredTypeOfSymbol(symbol));
  const $defs = Object.fromEntries(Object.entries(writer.definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...head, ...schema, $defs };
}
