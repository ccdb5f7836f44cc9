import type { Case } from '../cases.ts';
import { serviceProject, servicesText, withPorts } from './serviceProject.ts';

type Forms = Record<string, readonly string[]>;

/**
 * Lists that Compose joins and then refuses if an item is there twice, and names that must be
 * unique.
 */
const NO_REPEATS = [
  'container_name',
  'device_cgroup_rules',
  'external_links',
  'group_add',
  'security_opt',
  'volumes_from',
];

/** True for two forms of an attribute that Compose doesn't merge. */
function isRefused(attribute: string, before: string, after: string): boolean {
  return (before === after && NO_REPEATS.includes(attribute)) || after === 'gpus: all';
}

const pairOf = (name: string, before: string, after: string, number: string) => ({
  name,
  before: withPorts(before, number),
  after: withPorts(after, number),
});

/**
 * A project of two files. Each form of an attribute meets each form of the same attribute in the
 * later file.
 */
export function mergeProject(forms: Forms, isNewest: boolean): Case {
  const pairs = Object.entries(forms).flatMap(([attribute, texts]) =>
    texts.flatMap((before, i) =>
      texts
        .map((after, j) => pairOf(`${attribute}-${i}-${j}`, before, after, `${i}${j}`))
        .filter(({ after }) => !isRefused(attribute, before, after)),
    ),
  );
  const first = serviceProject(Object.fromEntries(pairs.map(({ name, before }) => [name, before])), isNewest);
  const over = servicesText({
    parent: 'image: parent:2',
    ...Object.fromEntries(pairs.map(({ name, after }) => [name, after])),
  });
  return { files: { ...first.files, 'over.yaml': over }, composeFiles: ['compose.yaml', 'over.yaml'] };
}
