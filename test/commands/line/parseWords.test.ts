import { describe, expect, it } from 'vitest';
import { parseWords } from '../../../src/commands/line/parseWords.ts';
import { closest, editsBetween } from '../../../src/io/suggest.ts';
import { meant } from '../../../src/commands/line/synonyms.ts';
import type { Command } from '../../../src/commands/terminal/command.ts';

const COMMAND: Command = {
  usage: 'send <file> [to..]',
  describe: '',
  examples: [],
  positionals: { file: { describe: '' }, to: { array: true, describe: '' } },
  options: {
    'device-type': { alias: 't', array: true, describe: '' },
    platform: { alias: 'p', type: 'string', describe: '' },
    release: { alias: 'r', type: 'boolean', describe: '' },
    wait: { alias: 'w', type: 'boolean', describe: '' },
    retries: { type: 'number', describe: '' },
    module: { choices: ['app', 'docker-compose'], default: 'app', describe: '' },
  },
  run: () => Promise.resolve(),
};
const DEFAULTS = { module: 'app', file: 'a', to: [] };

describe('parseWords', () => {
  it.each([
    ['a', {}],
    ['a b c', { to: ['b', 'c'] }],
    ['a -t x -t y', { deviceType: ['x', 'y'] }],
    ['-t x a b', { deviceType: ['x'], to: ['b'] }],
    ['a -tx --device-type=y', { deviceType: ['x', 'y'] }],
    ['a -p=linux/arm64', { platform: 'linux/arm64' }],
    ['a -rw', { release: true, wait: true }],
    ['a -rp x', { release: true, platform: 'x' }],
    ['a --no-release', { release: false }],
    ['a --release --no-release', { release: false }],
    ['a --release=false', { release: false }],
    ['a --retries -1', { retries: -1 }],
    ['a --retries 2.5', { retries: 2.5 }],
    ['a --module docker-compose', { module: 'docker-compose' }],
    ['a --platform=-x', { platform: '-x' }],
    ['a --platform -', { platform: '-' }],
    ['a -- --release', { to: ['--release'] }],
  ])('%s', (line, flags) => {
    expect(parseWords(COMMAND, line.split(' '))).toEqual({ ...DEFAULTS, ...flags });
  });

  it('takes what the environment gives, unless the line says otherwise', () => {
    const given = { deviceType: ['x'], release: true };
    expect(parseWords(COMMAND, ['a'], given)).toMatchObject(given);
    expect(parseWords(COMMAND, ['a', '-t', 'y', '--no-release'], given)).toMatchObject({
      deviceType: ['y'],
      release: false,
    });
  });

  it('hands over what follows -- if another program gets it', () => {
    const command = { ...COMMAND, passesOn: true as const };
    expect(parseWords(command, ['a', '--', '--x', 'y'])).toEqual({ ...DEFAULTS, '--': ['--x', 'y'] });
    expect(parseWords(command, ['a', '--'])).toEqual({ ...DEFAULTS, '--': [] });
  });

  it.each([
    ['', 'no FILE is given'],
    ['a --__proto__', 'unknown option --__proto__'],
    ['a --constructor=1', 'unknown option --constructor'],
    ['a -x', 'unknown option -x'],
    ['a --deviceType x', 'unknown option --deviceType'],
    ['a -p x -p y', '--platform was given more than once'],
    ['a -p', '-p has no value'],
    ['a --platform=', '--platform has no value'],
    ['a --retries=', '--retries has no value'],
    ['a --module k8s', '--module "k8s": expected app or docker-compose'],
    ['a --release=yes', '--release=yes: expected true or false'],
  ])('refuses %j', (line, message) => {
    const words = line.split(' ').filter((word) => word !== '');
    expect(() => parseWords(COMMAND, words)).toThrow(message);
  });
});

describe('an option of some actions', () => {
  const command: Command = {
    ...COMMAND,
    usage: 'things <action>',
    positionals: { action: { choices: ['list', 'show', 'prune'], describe: '' } },
    options: { name: { actions: ['list', 'show'], describe: '' }, all: { type: 'boolean', describe: '' } },
  };

  it.each([
    ['list --name x', { action: 'list', name: 'x' }],
    ['show --name x --all', { action: 'show', name: 'x', all: true }],
    ['prune --all', { action: 'prune', all: true }],
  ])('works with them: %s', (line, flags) => {
    expect(parseWords(command, line.split(' '))).toEqual(flags);
  });

  it('is refused with others, unless the environment gives it', () => {
    const refused = () => parseWords(command, ['prune', '--name', 'x']);
    expect(refused).toThrow('things prune: --name is for list or show');
    expect(parseWords(command, ['prune'], { name: 'x' })).toMatchObject({ action: 'prune' });
  });
});

it.each([
  ['uplaod', 'upload', 1],
  ['bild', 'build', 1],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['same', 'same', 0],
])('%s and %s differ by %s edits', (a, b, edits) => {
  expect(editsBetween(a, b)).toBe(edits);
  expect(editsBetween(b, a)).toBe(edits);
});

it.each([
  ['bild', ['build', 'plan'], 'build'],
  ['BUILD', ['build', 'plan'], 'build'],
  ['dest', ['destinations', 'deploy'], 'destinations'],
  ['dep', ['deployments', 'deploy'], undefined],
  ['x', ['build', 'plan'], undefined],
  ['ofline', ['auto', 'online', 'offline'], 'offline'],
  ['onlin', ['auto', 'offline', 'online'], 'online'],
])('%s of %j is close to %s', (word, candidates, near) => {
  expect(closest(word, candidates)).toBe(near);
});

it.each([
  ['ls', ['list', 'show'], 'list'],
  ['list', ['ls'], 'ls'],
  ['rm', ['delete'], 'delete'],
  ['remove', ['rm'], 'rm'],
  ['artifact', ['artifacts'], 'artifacts'],
  ['libraries', ['library'], 'library'],
  ['tag', ['tag', 'tags'], 'tag'],
  ['tags', ['tag', 'tags'], 'tags'],
  ['show', ['list'], undefined],
])('%s of %j means %s', (word, known, one) => {
  expect(meant(word, known)).toBe(one);
});
