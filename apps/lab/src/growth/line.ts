/** One measurement: how large something was, and what it cost then. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A straight line on log-log paper: y = factor · x ^ slope. */
export interface Line {
  readonly slope: number;
  readonly factor: number;
}

/** The line with the least squares through points on log-log paper. All figures must be above 0, and x must differ. */
export function lineThrough(points: readonly Point[]): Line {
  const logs = points.map(({ x, y }) => ({ x: Math.log(x), y: Math.log(y) }));
  const meanX = mean(logs.map(({ x }) => x));
  const meanY = mean(logs.map(({ y }) => y));
  const spread = logs.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  if (!(spread > 0)) throw new Error("A line needs points at two places at least.");
  const slope = logs.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / spread;
  return { slope, factor: Math.exp(meanY - slope * meanX) };
}

function mean(list: readonly number[]): number {
  return list.reduce((sum, one) => sum + one, 0) / list.length;
}
