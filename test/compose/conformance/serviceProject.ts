import type { Case } from '../cases.ts';

const PARENT = 'image: parent:1\nlabels: {from: parent}\nenvironment: [P=1]';

/** What the forms name: other services, resources and files. */
export const FILES = {
  '.env': 'TAG=1.0\n',
  'a.env': 'FROM_A=a\nBOTH=a\nREF=${TAG}-${FROM_A}\n',
  'b.env': 'FROM_B="b # c"\nBOTH=b\nSINGLE=\'$TAG\'\nREF_A=${FROM_A}\n',
  'raw.env': 'RAW=$TAG "as it is"\n',
  'deep/c.env': 'FROM_C=c d \n',
  'a.labels': 'la=1\nlb=${TAG}\n',
  'deep/b.labels': 'lb=2\n',
  'deep/common.yaml': 'services: {far: {image: "far:1", volumes: ["./data:/data"], env_file: c.env}}\n',
  'deep/data/f': 'd',
  'my-spec.json': '{}',
  'c.txt': 'c',
  's.txt': 's',
  'site/index.html': 'hello',
};

const RESOURCES = `volumes: {data: , site2: {name: other}}
networks: {front: {ipam: {config: [{subnet: 172.16.238.0/24}, {subnet: "2001:3984:3989::/64"}]}}, back: }
configs: {written: {content: "a $$x \${TAG}"}, file: {file: ./c.txt}, outside: {external: true}}
secrets: {stored: {file: ./s.txt}, external: {external: true, name: real}}
`;

const MODELS =
  'models: {llm: {model: ai/smollm2, context_size: 1024, runtime_flags: [-a]}, other: {model: b}}\n';

/** A project with one service for each of the texts, which are the attributes of that service. */
export function serviceProject(services: Record<string, string>, hasModels: boolean): Case {
  const all = { one: 'image: one:1', two: 'image: two:1', parent: PARENT, ...services };
  const text = servicesText(all) + RESOURCES + (hasModels ? MODELS : '');
  return { files: { ...FILES, 'compose.yaml': text } };
}

/** The section of services with these attributes. */
export function servicesText(services: Record<string, string>): string {
  const written = Object.entries(services).map(([name, text]) => `  ${name}:\n${indented(withImage(text))}`);
  return `services:\n${written.join('')}`;
}

/** The form with the host ports of one service: `digits` are two, for the NN of the form. */
export function withPorts(form: string, digits: string): string {
  return form.replaceAll('NN', digits);
}

function withImage(text: string): string {
  return /^image:/m.test(text) ? text : `image: web:1\n${text}`;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '    ') + '\n';
}
