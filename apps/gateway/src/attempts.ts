/** Counts attempts by key, from 1, for the most recently begun `limit` keys. */
export function attemptCounter(limit: number): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (counts.size > limit) {
      for (const oldest of counts.keys()) {
        counts.delete(oldest);
        break;
      }
    }
    return count;
  };
}
