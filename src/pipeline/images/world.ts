import type { Cache } from '../../cache/cache.ts';
import type { Effects } from '../../io/effects.ts';
import type { Api } from '../../server/api.ts';
import type { Images } from './images.ts';

/** Everything outside of the process that a build, a plan or a verification may reach. */
export interface World extends Effects {
  cache: Cache;
  images: Images;
  /**
   * The Mender servers that the run may ask: those that the artifact goes to, as far as the user
   * has a token.
   */
  servers?: readonly NamedServer[] | undefined;
}

export interface NamedServer {
  /** For people: the host, and with a destination map also the account. */
  name: string;
  api: Api;
}

/** A world in which local files ship. */
export interface ShippingWorld extends World {
  /** Files and folders of the tool that never ship: credentials and its own state. Absolute. */
  ownFiles: readonly string[];
}
