/**
 * The smallest selection of items, found by leaving out ever smaller groups of them, with which something still fails
 * (Zeller's ddmin). `fails` is asked at most `runsMax` times.
 */
export async function shrunk<T>(
  items: readonly T[],
  fails: (kept: readonly T[]) => Promise<boolean>,
  runsMax = 300,
): Promise<readonly T[]> {
  let kept = items;
  let groups = 2;
  for (let runs = 0; kept.length > 0 && runs < runsMax;) {
    const size = Math.ceil(kept.length / groups);
    let smaller: readonly T[] | undefined;
    // From the end: the shortest beginning that still fails tells the shortest story.
    for (let end = kept.length; end > 0 && smaller === undefined && runs < runsMax; end -= size, runs++) {
      const without = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)];
      if (await fails(without)) smaller = without;
    }
    if (smaller !== undefined) {
      kept = smaller;
      groups = Math.max(2, groups - 1);
    } else if (size === 1) return kept;
    else groups = Math.min(kept.length, groups * 2);
  }
  return kept;
}
