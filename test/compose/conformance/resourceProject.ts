import type { Case } from '../cases.ts';
import { FILES } from './serviceProject.ts';

type Forms = Record<string, readonly string[]>;

/** How a service uses a resource by name. */
const USES: Record<string, (name: string) => string> = {
  volumes: (name) => `${name}:/${name}`,
};

/** A project with one resource for each form, and one service that uses them all. */
export function resourceProject(...tables: readonly Forms[]): Case {
  const sections = new Map<string, string[]>();
  for (const [section, forms] of tables.flatMap((table) => Object.entries(table)))
    sections.set(section, [...(sections.get(section) ?? []), ...forms]);
  const written = [...sections].map(([section, forms]) => `${section}:\n${entriesOf(forms).join('')}`);
  const used = [...sections].map(([section, forms]) => `    ${section}: [${usesOf(section, forms)}]\n`);
  const text = `services:\n  web:\n    image: web:1\n${used.join('')}${written.join('')}`;
  return { files: { ...FILES, 'compose.yaml': text } };
}

function entriesOf(forms: readonly string[]): string[] {
  return forms.map((form, index) => `  r${index}: ${form}\n`);
}

function usesOf(section: string, forms: readonly string[]): string {
  const use = USES[section] ?? ((name) => name);
  return forms.map((_form, index) => use(`r${index}`)).join(', ');
}
