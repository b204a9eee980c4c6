/** Collects what is wrong between values that are right by themselves. */
export interface Refuse {
  (path: string, requirement: string, found: string, suggestion?: string | null): void;
  /** Was something refused at or below a path by its shape? What is missing there may be misspelt. */
  isFaulty(path: string): boolean;
  /** Was a key of the file refused that may have been meant to be this one? */
  isMisspelt(key: string): boolean;
}
