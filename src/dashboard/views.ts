/** The views by the part behind `#` in the address. */
export const views = ['overview', 'pools', 'traffic', 'events'] as const;

/** One of them. */
export type View = (typeof views)[number];
