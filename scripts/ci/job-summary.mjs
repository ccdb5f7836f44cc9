// Prints what `mender-docker-delta build --json` or `bake --json` wrote to a file as Markdown, for
// the summary of a CI job.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const [file] = process.argv.slice(2);
const {
  error,
  builds,
  artifacts = [],
  delivery = null,
  destinations = null,
} = JSON.parse(readFileSync(file, 'utf8'));

const megabytes = (bytes) => `${Number((bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1))} MB`;
const KINDS = { omit: 'unchanged', identity: 'unchanged, moved', delta: 'delta', full: 'full' };
/**
 * Text that Markdown shows as it is, on one line: names come from Compose files, artifacts and
 * servers.
 */
const plain = (text) =>
  String(text)
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_<>|[\]#&]/g, '\\$&');
const row = (cells) => `| ${cells.map(plain).join(' | ')} |`;

function imageRows({ image, layers }) {
  return layers.map((layer, position) => {
    const { diffID, size, sent } = layer;
    const name = position === 0 ? image : '';
    return row([name, diffID.slice(7, 19), KINDS[layer.kind], megabytes(size), megabytes(sent)]);
  });
}

/** Above 99 with one decimal, rounded down: 100 would say that nothing is sent. */
function percentSaved(size, full) {
  const percent = (1 - size / full) * 100;
  return percent < 99 ? Math.round(percent) : Math.floor(percent * 10) / 10;
}

/** `10.8 MB instead of about 83.4 MB (-87 %)`, or only the size where nothing was saved. */
function savingOf({ base, artifact: { size }, fullSize }) {
  const whole = `**${megabytes(size)}**`;
  if (base === null || fullSize === null || fullSize <= size) return whole;
  return `${whole} instead of about ${megabytes(fullSize)} (-${percentSaved(size, fullSize)} %)`;
}

function artifactLines(built) {
  const { artifactName, base, artifact, images } = built;
  const layers = images.flatMap((image) => image.layers);
  const sum = (key) => layers.reduce((total, layer) => total + layer[key], 0);
  const against = base === null ? 'everything whole' : `against ${plain(base.version)}`;
  return [
    `### ${plain(artifactName)}`,
    '',
    `${plain(basename(artifact.path))}: ${savingOf(built)}, ${artifact.compression}, ${against}. ` +
      `Payload: ${megabytes(sum('sent'))} before compression, for images of ${megabytes(sum('size'))}.`,
    '',
    row(['image', 'layer', 'kind', 'layer size', 'payload']),
    '| --- | --- | --- | ---: | ---: |',
    ...images.flatMap(imageRows),
    '',
  ];
}

function destinationLines({ runs }) {
  const rows = runs.flatMap(({ artifact, accounts }) =>
    accounts.flatMap(({ account, destinations: places }) =>
      places.map(({ destination, state }) => row([artifact.name, account, destination, state])),
    ),
  );
  return [row(['artifact', 'account', 'destination', 'state']), '| --- | --- | --- | --- |', ...rows];
}

function deliveryText() {
  if (destinations !== null) return destinationLines(destinations).join('\n');
  if (delivery === null) return 'Not uploaded.';
  const { host, uploads = [], deployment } = delivery;
  const uploaded = uploads.map(
    ({ name, id }) => `${plain(name)} is on ${plain(host)} as artifact ${plain(id)}.`,
  );
  const outcome = deployment?.watched?.outcome?.kind ?? 'goes on';
  return [...uploaded, ...(deployment ? [`Deployment ${deployment.id}: ${outcome}.`] : [])].join(' ');
}

/** The builds of a bake file: a row for each artifact, and one for each failure. */
function bakeLines() {
  const made = ({ name, artifacts: all }) =>
    all.map((one) => `| ${plain(name)} | ${plain(one.artifactName)} | ${savingOf(one)} |`);
  const failed = ({ name, error: fault }) =>
    fault === null ? [] : [`| ${plain(name)} |  | **failed**: ${plain(fault.message)} |`];
  const rows = builds.flatMap((build) => [...made(build), ...failed(build)]);
  return [row(['target', 'artifact', 'size']), '| --- | --- | --- |', ...rows];
}

/** A build that failed has nothing but its error. A deployment may fail after it. */
function errorText({ message, hint }) {
  const heading = artifacts.length === 0 ? '### No artifact' : '### The deployment failed';
  return [heading, '', plain(message), ...(hint ? ['', plain(hint)] : [])].join('\n');
}

const built = artifacts.length === 0 ? [] : [...artifacts.flatMap(artifactLines), deliveryText()];
if (builds !== undefined) console.log(bakeLines().join('\n'));
else
  console.log([...built, ...(error ? [...(built.length > 0 ? [''] : []), errorText(error)] : [])].join('\n'));
