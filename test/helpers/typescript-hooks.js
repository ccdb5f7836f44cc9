import { readFile } from 'node:fs/promises';
import { transform } from 'rolldown/utils';

const OPTIONS = { target: 'es2023', tsconfig: false, typescript: { onlyRemoveTypeImports: true } };

/** A module loading hook: TypeScript without its types. https://nodejs.org/api/module.html#loadurl-context-nextload */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const source = await readFile(new URL(url), 'utf8');
  const { code, errors } = await transform(url, source, OPTIONS);
  if (errors.length > 0) throw new Error(`${url}: ${JSON.stringify(errors)}`);
  return { format: 'module', source: code, shortCircuit: true };
}
