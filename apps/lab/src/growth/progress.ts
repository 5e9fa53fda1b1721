const everyMs = 5_000;

/** Says now and then how far something has come. */
export function progress(what: string, of: number): (now: number) => void {
  let saidMs = performance.now();
  return (now) => {
    if (performance.now() - saidMs < everyMs) return;
    saidMs = performance.now();
    process.stderr.write(`${now.toLocaleString("en")} of ${of.toLocaleString("en")} ${what}\n`);
  };
}
