/** The drivers, each with why it cannot be tested here, or false. */
export async function drivers(): Promise<
  { readonly name: 'portable' | 'uring'; readonly skip: string | false }[]
> {
  const { probeUring } = await import('../../src/platform/uring/probe.ts');
  const probe = probeUring();
  return [
    { name: 'portable', skip: false },
    { name: 'uring', skip: probe.isUsable ? false : probe.reason },
  ];
}
