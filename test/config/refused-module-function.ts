const config: unknown = {
  listeners: [':8080'],
  pools: { web: ['127.0.0.1:1'] },
  routes: [{ pool: 'web', hooks: { onRequest: (): number => 1 } }],
};
export default config;
