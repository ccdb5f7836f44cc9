import { DeniedError } from '../errors.ts';

/** What a registry asks for with a 401. https://www.rfc-editor.org/rfc/rfc9110#field.www-authenticate */
export interface Challenge {
  type: 'bearer' | 'basic';
  realm: string;
  service: string;
  scope: string;
}

/** Parses a WWW-Authenticate header; throws DeniedError for what is none, or of another type. */
export function parseChallenge(header: string): Challenge {
  const [, scheme, rest = ''] = /^(\S+)\s+(\S.*)$/.exec(header) ?? [];
  if (scheme === undefined) throw new DeniedError(`invalid auth header: ${header}`);
  const type = scheme.toLowerCase();
  if (type !== 'bearer' && type !== 'basic') throw new DeniedError(`unknown auth type '${scheme}'`);
  const parameters = new Map(
    [...rest.matchAll(/(\w+)=(?:"([^"]*)"|([^\s,"]*))/g)].map(([, name = '', quoted, plain = '']) => [
      name.toLowerCase(),
      quoted ?? plain,
    ]),
  );
  const valueOf = (name: string): string => parameters.get(name) ?? '';
  return { type, realm: valueOf('realm'), service: valueOf('service'), scope: valueOf('scope') };
}
