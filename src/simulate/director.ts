import type { Change, PlannedEvent } from './scenario.ts';
import type { SimulatedServer } from './server.ts';
import type { World } from './world.ts';

/** Lets the planned events of a scenario happen, takes back what lasts for a time, repeats what repeats. */
export function direct(world: World): void {
  const { timeline, scenario, servers } = world;
  for (const event of scenario.events) {
    timeline.call(event.atUs - timeline.nowUs, () => happen(world, event));
  }
  const joinTimes = new Set<number>();
  for (const { joinsAtUs, leavesAtUs } of scenario.servers) {
    if (joinsAtUs > 0 && joinsAtUs < scenario.durationUs) joinTimes.add(joinsAtUs);
    if (leavesAtUs < scenario.durationUs) joinTimes.add(leavesAtUs);
  }
  for (const atUs of joinTimes) {
    timeline.call(atUs, () => {
      for (const server of servers) if (server.plan.joinsAtUs === atUs) server.startCold();
      world.publish();
    });
  }
}

function happen(world: World, event: PlannedEvent): void {
  const { timeline, servers } = world;
  const concerned = event.servers.map((index) => servers[index]!);
  apply(world, event.change, concerned);
  if (event.forUs < Number.POSITIVE_INFINITY) {
    const back = reverseOf(world, event.change);
    if (back !== null) timeline.call(event.forUs, () => apply(world, back, concerned));
  }
  if (event.everyUs < Number.POSITIVE_INFINITY) {
    timeline.call(event.everyUs, () => happen(world, event));
  }
}

function apply(world: World, change: Change, servers: readonly SimulatedServer[]): void {
  if (change.kind === 'rate') world.clients.rate = change.rate;
  else if (change.kind === 'clock') world.clock.wallOffsetMs += change.byMs;
  else if (change.kind === 'stall') for (const one of world.threads) one.stall(change.forUs);
  else for (const server of servers) applyTo(server, change);
}

function applyTo(server: SimulatedServer, change: Change): void {
  if (change.kind === 'down') server.goDown(change.how);
  else if (change.kind === 'up') server.comeUp();
  else if (change.kind === 'slow') server.factor = change.factor;
  else if (change.kind === 'late') server.late = change.late ?? server.plan.late;
  else if (change.kind === 'errors') {
    server.errorRatio = change.ratio ?? server.plan.errorRatio;
    server.errorStatus = change.ratio === null ? server.plan.errorStatus : change.status;
  }
}

function reverseOf(world: World, change: Change): Change | null {
  if (change.kind === 'down') return { kind: 'up' };
  if (change.kind === 'slow') return { kind: 'slow', factor: 1 };
  if (change.kind === 'late') return { kind: 'late', late: null };
  if (change.kind === 'errors') return { kind: 'errors', ratio: null, status: 0 };
  if (change.kind === 'rate') return { kind: 'rate', rate: world.scenario.clients.rate };
  return null;
}
