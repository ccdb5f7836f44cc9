import { expect, it } from 'vitest';
import {
  DeniedError,
  DeploymentError,
  ENDING_SIGNALS,
  IntegrityError,
  InterruptedError,
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

it.each(ENDING_SIGNALS)('an interruption by %s comes back from another thread', (signal) => {
  const error = new InterruptedError(signal);
  const back = revivedError(structuredClone(portableError(error)));
  expect(back).toBeInstanceOf(InterruptedError);
  expect(back).toMatchObject({ message: `interrupted by ${signal}`, exitCode: error.exitCode });
});

it.each(['a text', undefined, 5])('%j, thrown as it is, comes back', (thrown) => {
  expect(revivedError(structuredClone(portableError(thrown)))).toBe(thrown);
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
