import { afterAll } from 'vitest';
import { forgetSecrets } from '../../src/io/redact.ts';

// A password of one test file may be a word in the output of another one.
afterAll(forgetSecrets);
