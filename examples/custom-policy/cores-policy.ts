import type { CustomPolicy } from 'evenkeel';

/**
 * Of two servers drawn at random, the one with fewer requests per core. How many cores a server has
 * stands in its label `cores`.
 */
const policy: CustomPolicy = {
  says: 'of two servers drawn at random, the one with fewer requests per core',
  build(candidates, means) {
    const cores = candidates.map(({ labels }) => Number(labels['cores'] ?? 1));
    const perCore = (at: number): number => means.load(candidates[at]!.slot) / cores[at]!;
    const draw = (): number => Math.floor(means.random() * candidates.length);

    return {
      pick(request) {
        const isTried = (slot: number): boolean => {
          for (let at = 0; at < request.triedCount; at++) {
            if (request.tried[at] === slot) return true;
          }
          return false;
        };
        const isUsable = (at: number): boolean => {
          const { slot, connectionsMax, pendingMax } = candidates[at]!;
          const isFull =
            (connectionsMax > 0 && means.load(slot) >= connectionsMax) ||
            (pendingMax > 0 && means.pending(slot) >= pendingMax);
          return !isTried(slot) && !isFull;
        };
        if (candidates.length === 0) return -1;
        let best = draw();
        const other = draw();
        if (!isUsable(best) || (isUsable(other) && perCore(other) < perCore(best))) best = other;
        // A request that is tried again, or a full server: the best of all that are left.
        if (!isUsable(best)) {
          best = -1;
          for (let at = 0; at < candidates.length; at++) {
            if (isUsable(at) && (best < 0 || perCore(at) < perCore(best))) best = at;
          }
        }
        if (best >= 0) return candidates[best]!.slot;
        return candidates.every(({ slot }) => isTried(slot)) ? -1 : -2;
      },
    };
  },
};

export default policy;
