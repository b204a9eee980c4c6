/** Takes all steps of a work at once, where nothing waits in between; gives its result. */
export function finished<T>(steps: Generator<void, T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}
