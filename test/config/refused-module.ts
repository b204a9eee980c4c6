// @ts-nocheck: input of the tests, and no part of the program.
import { defineConfig } from 'evenkeel';

const config: unknown = defineConfig({
  listeners: [':8080'],
  pools: {
    web: { servers: ['127.0.0.1:3001', '127.0.0.1'], polcy: 'p2c', timeouts: { connect: '2' } },
  },
});
export default config;
