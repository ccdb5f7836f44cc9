import { expect, it } from 'vitest';
import {
  DeniedError,
  DeploymentError,
  IntegrityError,
  NetworkError,
  NotFoundError,
  ToolError,
  UnsupportedError,
  UsageError,
  nextStep,
  portableError,
  revivedError,
} from '../src/errors.ts';

it.each([
  [DeniedError],
  [DeploymentError],
  [IntegrityError],
  [NetworkError],
  [NotFoundError],
  [ToolError],
  [UnsupportedError],
  [UsageError],
])('%o comes back from another thread', (Class) => {
  for (const error of [new Class('what was done'), new Class('what was done', { hint: 'try this' })]) {
    const back = revivedError(structuredClone(portableError(error)));
    expect(back).toBeInstanceOf(Class);
    expect(back).toMatchObject({ message: error.message, exitCode: error.exitCode, hint: error.hint });
  }
});

it('a bug comes back with its stack', () => {
  const bug = new TypeError('x is not a function');
  const back = revivedError(structuredClone(portableError(bug)));
  expect(back).toBeInstanceOf(TypeError);
  expect(back).toMatchObject({ message: bug.message, stack: bug.stack });
});

it.each([
  ['its own hint', new NetworkError('x', { hint: 'do this' }), 'do this'],
  ['what helps most of its kind', new NetworkError('x'), expect.stringContaining('run it again')],
  ['nothing where nothing is known', new UnsupportedError('x'), undefined],
])('the next step is %s', (_, error, expected) => {
  expect(nextStep(error)).toEqual(expected);
});
