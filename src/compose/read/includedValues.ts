import type { Scope } from './scope.ts';
import { escapeDollars } from './variables/template.ts';
import type { Variables } from './variables/variables.ts';
import type { Mapping, Value } from './yaml/value.ts';
import { asMapping, scalarText } from './yaml/value.ts';

/**
 * Returns the value of a variable if only the env file of the include has it; notes that it ships.
 */
type Given = (name: string, at: readonly string[]) => string | undefined;

/**
 * Writes the values into the model that only the env file of the include has, where the model names
 * the variable without a value: in `environment` and in configs. A secret can't hold its value, so
 * it gets a variable of its own, whose value is noted in the scope. `file` is for messages.
 */
export function withGivenValues(model: Mapping, file: string, outer: Scope, variables: Variables): Mapping {
  const { notes } = outer;
  const onlyHere = (name: string) =>
    outer.variables.lookup(name) === undefined ? variables.lookup(name) : undefined;
  const given: Given = (name, at) => {
    const value = onlyHere(name);
    if (value !== undefined) notes.filled.push({ name, at, file, origin: variables.originOf(name) });
    return value;
  };
  const secretOf = (name: string, secret: Mapping): Mapping => {
    const variable = scalarText(secret['environment']);
    const value = onlyHere(variable);
    if (value === undefined) return secret;
    const own = `INCLUDED_SECRET_${name.replace(/[^A-Za-z0-9_]/g, '_')}`;
    const at = ['secrets', name, 'environment'];
    notes.secretValues.set(own, { name: variable, at, file, origin: variables.originOf(variable), value });
    return { ...secret, environment: own };
  };
  return {
    ...model,
    ...changedSection(model, 'services', (name, service) => serviceWith(name, service, given)),
    ...changedSection(model, 'configs', (name, config) => configWith(name, config, given)),
    ...changedSection(model, 'secrets', secretOf),
  };
}

function changedSection(
  model: Mapping,
  section: string,
  change: (name: string, entry: Mapping) => Mapping,
): Mapping {
  if (model[section] === undefined) return {};
  const entries = Object.entries(asMapping(model[section]));
  return {
    [section]: Object.fromEntries(entries.map(([name, entry]) => [name, change(name, asMapping(entry))])),
  };
}

function configWith(name: string, config: Mapping, given: Given): Mapping {
  const value = given(scalarText(config['environment']), ['configs', name, 'environment']);
  if (value === undefined) return config;
  const others = Object.entries(config).filter(([key]) => key !== 'environment');
  return { ...Object.fromEntries(others), content: escapeDollars(value) };
}

function serviceWith(name: string, service: Mapping, given: Given): Mapping {
  const { environment } = service;
  if (environment === undefined) return service;
  const at = ['services', name, 'environment'];
  return { ...service, environment: environmentWith(environment, (variable) => given(variable, at)) };
}

function environmentWith(environment: Value, given: (name: string) => string | undefined): Value {
  if (Array.isArray(environment)) {
    return environment.map((item) => {
      const text = scalarText(item);
      const value = text.includes('=') ? undefined : given(text);
      return value === undefined ? item : `${text}=${escapeDollars(value)}`;
    });
  }
  const entries = Object.entries(asMapping(environment)).map(([name, value]): [string, Value] => {
    const found = value === null ? given(name) : undefined;
    return [name, found === undefined ? value : escapeDollars(found)];
  });
  return Object.fromEntries(entries);
}
