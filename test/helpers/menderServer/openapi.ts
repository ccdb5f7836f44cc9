import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import type { ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const FILE = fileURLToPath(new URL('../../../fixtures/openapi/mender-openapi.yaml', import.meta.url));

interface Parameter {
  name: string;
  in: 'query' | 'path' | 'header';
  required?: boolean;
  schema: { type?: string };
}

interface Body {
  required?: boolean;
  content?: Record<string, unknown>;
  $ref?: string;
}

interface OperationDocument {
  parameters?: Parameter[];
  requestBody?: Body;
  responses: Record<string, Body>;
}

interface Document {
  paths: Record<string, Record<string, OperationDocument>>;
}

/** One operation of the description, found by method and path. */
export interface Operation {
  method: string;
  /** The path as the description writes it: `/api/.../{id}`. */
  template: string;
  parameters: Record<string, string>;
}

/** Statuses that the real server gives on any call though the description does not list them. */
const EVERYWHERE = new Set([403, 405, 413, 429, 503]);

const document = parse(readFileSync(FILE, 'utf8')) as Document;
const ajv = new Ajv({ strict: false, allErrors: true, logger: false, validateSchema: false });
addFormats.default(ajv);
for (const format of ['url', 'long', 'binary']) ajv.addFormat(format, true);
ajv.addSchema(document, 'openapi');
const coercing = new Ajv({ strict: false, allErrors: true, logger: false, coerceTypes: 'array' });
addFormats.default(coercing);

const templates = Object.keys(document.paths).map((template) => ({
  template,
  // A literal path wins over one with a placeholder: `.../releases` is not `.../{id}`.
  placeholders: (template.match(/\{/g) ?? []).length,
  pattern: new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

/** The operation that the description has for this call, if it has one. */
export function findOperation(method: string, path: string): Operation | undefined {
  const found = templates
    .filter(
      ({ template, pattern }) => pattern.test(path) && method.toLowerCase() in document.paths[template]!,
    )
    .sort((a, b) => a.placeholders - b.placeholders)[0];
  if (found === undefined) return undefined;
  const groups = found.pattern.exec(path)?.groups ?? {};
  const parameters = Object.fromEntries(Object.entries(groups).map(([k, v]) => [k, decodeURIComponent(v)]));
  return { method: method.toUpperCase(), template: found.template, parameters };
}

/**
 * What the description has against this request: query parameters and JSON body. Empty when it
 * conforms.
 */
export function requestFaults(
  operation: Operation,
  query: URLSearchParams,
  type: string,
  body: unknown,
): string[] {
  const described = documentOf(operation);
  return [...queryFaults(described.parameters ?? [], query), ...bodyFaults(operation, described, type, body)];
}

/**
 * What the description has against this response. `body` is the parsed JSON, the text, or undefined
 * for none.
 */
export function responseFaults(operation: Operation, status: number, type: string, body: unknown): string[] {
  if (EVERYWHERE.has(status)) return [];
  const described = documentOf(operation).responses[String(status)];
  if (described === undefined) return [`status ${status} is not described`];
  const base = described.$ref ?? `#${pointer(operation, 'responses', String(status))}`;
  const content = resolve(base).content ?? {};
  if (Object.keys(content).length === 0) return body === undefined ? [] : ['the body should be empty'];
  if (!(type in content)) return [`content type ${type} is not one of ${Object.keys(content).join(', ')}`];
  return check(`${base}/content/${segment(type)}/schema`, body);
}

function documentOf(operation: Operation): OperationDocument {
  return document.paths[operation.template]![operation.method.toLowerCase()]!;
}

function queryFaults(parameters: Parameter[], query: URLSearchParams): string[] {
  const known = parameters.filter((parameter) => parameter.in === 'query');
  const unknown = [...new Set(query.keys())].filter((name) => !known.some((one) => one.name === name));
  const missing = known.filter((one) => one.required === true && !query.has(one.name));
  return [
    ...unknown.map((name) => `unknown query parameter ${name}`),
    ...missing.map((one) => `missing query parameter ${one.name}`),
    ...known.flatMap((one) => parameterFaults(one, query.getAll(one.name))),
  ];
}

function parameterFaults(parameter: Parameter, values: string[]): string[] {
  if (values.length === 0) return [];
  const value = parameter.schema.type === 'array' ? values : values[0];
  const validate = coercing.compile({ properties: { value: parameter.schema } });
  return validate({ value }) ? [] : [`query parameter ${parameter.name}: ${text(validate)}`];
}

function bodyFaults(
  operation: Operation,
  described: OperationDocument,
  type: string,
  body: unknown,
): string[] {
  const content = described.requestBody?.content;
  if (content === undefined) return body === undefined ? [] : ['a body that is not described'];
  if (body === undefined) return described.requestBody?.required === true ? ['the body is missing'] : [];
  if (!(type in content)) return [`content type ${type} is not one of ${Object.keys(content).join(', ')}`];
  return check(`#${pointer(operation, 'requestBody', 'content', type, 'schema')}`, body);
}

const validators = new Map<string, ValidateFunction>();

function check(ref: string, value: unknown): string[] {
  const validate = validators.get(ref) ?? ajv.compile({ $ref: `openapi${ref}` });
  validators.set(ref, validate);
  return validate(value) ? [] : [text(validate)];
}

function text(validate: ValidateFunction): string {
  return ajv.errorsText(validate.errors);
}

function pointer(operation: Operation, ...more: string[]): string {
  return ['', 'paths', operation.template, operation.method.toLowerCase(), ...more].map(segment).join('/');
}

function segment(text: string): string {
  return encodeURIComponent(text.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function resolve(ref: string): Body {
  const steps = ref
    .slice(2)
    .split('/')
    .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], document) as Body;
}
