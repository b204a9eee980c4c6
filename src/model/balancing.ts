/** How a pool spreads its traffic beyond its policy's name; what is null is not configured. */
export interface Balancing {
  /** What `hash` reads of a request. */
  readonly key: HashKey;
  /** The module of policy `custom`. */
  readonly module: PolicyModule | null;
  /** New and recovered servers get their share by and by. */
  readonly slowStart: SlowStart | null;
  /** Signed cookies keep a client at its server. */
  readonly sticky: Sticky | null;
  /** Fit share of a tier (or of the own zone) times this is the share of traffic that it takes. */
  readonly overprovision: number;
  /** Servers whose label `zone` says this are asked first. */
  readonly preferredZone: string | null;
  /** Servers tell their load in a response header. */
  readonly usesLoadHeader: boolean;
}

/** A module that workers import; its mark changes with its contents. */
export interface PolicyModule {
  /** As written in the configuration, absolute once it was found. */
  readonly path: string;
  readonly mark: string;
}

/** Where a key comes from; `name` is the header (lower case), cookie or query parameter. */
export interface HashKey {
  readonly from: 'header' | 'cookie' | 'query' | 'path' | 'ip';
  readonly name: string;
}

/** A server's share grows from `minRatio` to 1 within `windowMs`: max(min, (t/window)^(1/aggression)). */
export interface SlowStart {
  readonly windowMs: number;
  readonly aggression: number;
  readonly minRatio: number;
}

/** A cookie that names a server and is signed, so that nothing has to be remembered. */
export interface Sticky {
  readonly cookie: string;
  /** How long a session lasts after its last renewal; 0 = as long as the browser runs. */
  readonly ttlMs: number;
  readonly path: string;
  /** `auto`: where the client came by https. */
  readonly secure: 'auto' | 'always' | 'never';
  readonly sameSite: 'lax' | 'strict' | 'none';
  /** Key of the signatures; the same on all balancers that share clients. Empty until it was read. */
  readonly secret: string;
  /** Where it is read from; null = written in the configuration, or our own file. */
  readonly secretFile: string | null;
}

/** What a pool has that says nothing of all this. */
export const plainBalancing: Balancing = {
  key: { from: 'ip', name: '' },
  module: null,
  slowStart: null,
  sticky: null,
  overprovision: 1.4,
  preferredZone: null,
  usesLoadHeader: false,
};
