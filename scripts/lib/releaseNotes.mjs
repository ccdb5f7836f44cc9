// Prints the changes of a release: `releaseNotes.mjs v1.2.3`. Fails if tag, package.json and
// CHANGELOG.md disagree.
import { readFileSync } from 'node:fs';

const [tag] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m);
const section = sections.find((text) => text.startsWith(`${version} - `));

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

if (tag !== `v${version}`) fail(`the tag is ${tag}, and package.json has version ${version}`);
if (section === undefined) fail(`CHANGELOG.md has no section "## ${version} - YEAR-MONTH-DAY"`);
console.log(section.slice(section.indexOf('\n')).trim());
