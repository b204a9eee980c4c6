/**
 * Calls `run` once, on this thread's loop, after `words[index]` has moved on from `seen` and was notified; soon if
 * it has moved already. The thread sleeps meanwhile and nothing polls. It cannot be taken back.
 */
export function onceMoved(words: Int32Array, index: number, seen: number, run: () => void): void {
  const wait = Atomics.waitAsync(words, index, seen);
  // What `run` throws ends the thread, as it would anywhere else.
  if (wait.async) void wait.value.then(run);
  else setImmediate(run);
}
