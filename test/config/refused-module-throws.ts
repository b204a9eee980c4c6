const servers: string[] = [];

if (servers.length === 0) {
  throw new Error('no servers are known');
}

const config: unknown = { listeners: [':8080'], pools: { web: servers } };
export default config;
