import { NotFoundError, UsageError } from '../errors.ts';
import type { Application } from './application.ts';

/**
 * Throws NotFoundError if an override names an unknown service, and UsageError if a service without
 * an override has only `build`: this tool builds no images.
 */
export function requireImages(application: Application, overridden: readonly string[]): void {
  const names = application.services.map(({ name }) => name);
  for (const name of overridden) {
    if (names.includes(name)) continue;
    const isInactive = application.inactive.includes(name);
    throw new NotFoundError(
      `no service ${name}${isInactive ? ' in an enabled profile' : ''}: there are ${names.join(', ')}`,
      {
        hint: ({ option }) =>
          isInactive
            ? `enable its profile with ${option('profile')}`
            : `check the name given to ${option('service-image')} or ${option('service-file')}`,
      },
    );
  }
  const builtOnly = application.services.filter(
    ({ name, image }) => image === undefined && !overridden.includes(name),
  );
  const [first] = builtOnly;
  if (first === undefined) return;
  throw new UsageError(
    `no image for ${builtOnly.map(({ name }) => name).join(', ')}: the Compose file only says how to build it`,
    {
      hint: ({ option }) =>
        `build it, then name it with ${option('service-image', `${first.name}=IMAGE`)} or ${option('service-file', `${first.name}=FILE`)}`,
    },
  );
}
