import type { Cache } from '../../cache/cache.ts';
import type { Effects } from '../../io/effects.ts';
import type { Api } from '../../server/api.ts';
import type { Images } from './images.ts';

/** Everything outside of the process that a build, a plan or a verification may reach. */
export interface World extends Effects {
  cache: Cache;
  images: Images;
  /** The Mender server, if the user has a token for it and lets the run ask it. */
  server?: Api | undefined;
}

/** A world in which local files ship. */
export interface ShippingWorld extends World {
  /** Files and folders of the tool that never ship: credentials and its own state. Absolute. */
  ownFiles: readonly string[];
}
