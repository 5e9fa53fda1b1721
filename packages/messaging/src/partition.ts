const encoder = new TextEncoder();

/**
 * The partition of a key, as Kafka's default partitioner chooses it: murmur2 of the UTF-8 bytes, made positive,
 * modulo the number of partitions (org.apache.kafka.clients.producer.internals.BuiltInPartitioner).
 */
export function partitionOf(key: string, partitions: number): number {
  return (murmur2(bytesOf(key)) & 0x7fffffff) % partitions;
}

const scratch = new Uint8Array(256);

/** The UTF-8 bytes of a key; those of an ordinary one without an allocation that outlives the call. */
function bytesOf(key: string): Uint8Array {
  if (key.length > scratch.length) return encoder.encode(key);
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    if (code > 0x7f) return encoder.encode(key);
    scratch[at] = code;
  }
  return scratch.subarray(0, key.length);
}

/** Austin Appleby's MurmurHash2, 32 bits, with the seed that Kafka uses; as a signed integer. */
export function murmur2(bytes: Uint8Array): number {
  const m = 0x5bd1e995;
  let h = 0x9747b28c ^ bytes.length;
  const whole = bytes.length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let k = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    k = Math.imul(k, m);
    k ^= k >>> 24;
    h = Math.imul(h, m) ^ Math.imul(k, m);
  }
  const rest = bytes.length & 3;
  if (rest > 0) {
    if (rest > 2) h ^= bytes[whole + 2]! << 16;
    if (rest > 1) h ^= bytes[whole + 1]! << 8;
    h = Math.imul(h ^ bytes[whole]!, m);
  }
  h ^= h >>> 13;
  h = Math.imul(h, m);
  return h ^ (h >>> 15);
}
