// Prints what `mender-docker-delta build --json` or `bake --json` wrote to a file as outputs of a
// GitHub step.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
// A build that failed has nothing but its error.
const { builds, artifacts = (builds ?? []).flatMap((build) => build.artifacts) } = JSON.parse(
  readFileSync(file, 'utf8'),
);

/**
 * https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings
 * No value can end early and begin another output, because nobody knows the delimiter in advance.
 */
function output(name, lines) {
  const end = randomUUID();
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
