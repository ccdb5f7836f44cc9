// Prints what `mender-docker-delta build --json` wrote to a file as outputs of a GitHub step.
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const { artifacts } = JSON.parse(readFileSync(file, 'utf8'));

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings */
function output(name, lines) {
  const end = `end-of-${name}`;
  console.log([`${name}<<${end}`, ...lines, end].join('\n'));
}

output(
  'artifacts',
  artifacts.map(({ artifact }) => artifact.path),
);
output(
  'artifact-names',
  artifacts.map(({ artifactName }) => artifactName),
);
output('result', [file]);
