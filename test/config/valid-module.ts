// @ts-nocheck: input of the tests, and no part of the program.
import { type ConfigInput, defineConfig } from 'evenkeel';

const ports: readonly number[] = [3001, 3002];

const config: ConfigInput = defineConfig({
  listeners: [{ name: 'web', address: ':8080' }],
  pools: { web: { servers: ports.map((port) => `127.0.0.1:${port}`), probe: undefined } },
});
export default config;
