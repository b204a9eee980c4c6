/** A span of time for people: `12 s`, `3 min 4 s`, `2 h 5 min`, `3 d 1 h`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const hours = Math.floor(seconds / 3600);
  return hours < 48
    ? `${hours} h ${Math.floor((seconds % 3600) / 60)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The same with tenths below ten seconds, for what comes soon: `1.8 s`. */
export function soonText(ms: number): string {
  return ms < 9_950 ? `${Math.max(0, Math.round(ms / 100)) / 10} s` : durationText(ms);
}
