import { expect, it } from 'vitest';
import { readManifest } from '../project.ts';

// The environment of a process is an object, which has fields that no variable is.
it.each(['constructor', 'toString', '__proto__', 'hasOwnProperty'])(
  'a variable named %s is unset unless the environment sets it',
  async (name) => {
    const text = `services:\n  web:\n    image: web:\${${name}:-1}\n`;
    const { services } = await readManifest(text, {});
    expect(JSON.stringify(services)).toContain('web:1');
    const given = Object.fromEntries([[name, '2']]);
    expect(JSON.stringify((await readManifest(text, given)).services)).toContain('web:2');
  },
);
