/** What a stream's name and a subject's token may be; every topic that a contract can declare is one. */
const topicName = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

export function isTopicName(name: string): boolean {
  return topicName.test(name);
}

const plainType = /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/;

/**
 * `<topic>.<partition>.<type>`. The type is there for those who look on with wildcards; what a reader believes is the
 * header. One that is no subject of NATS has its strange characters as `%xx`.
 */
export function subjectOf(topic: string, partition: number, type: string): string {
  return `${topic}.${partition}.${plainType.test(type) ? type : escaped(type)}`;
}

function escaped(type: string): string {
  const bytes = [...Buffer.from(type)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, "0")}`;
  });
  return bytes.join("") || "%";
}

/** All subjects of a partition. */
export function partitionFilter(topic: string, partition: number): string {
  return `${topic}.${partition}.>`;
}

/**
 * The subjects of a stream, one a partition: what is published to a partition that does not exist is refused instead of
 * being stored where nobody reads.
 */
export function streamSubjects(topic: string, partitions: number): string[] {
  return Array.from({ length: partitions }, (_, partition) => partitionFilter(topic, partition));
}

/** The partition that a subject of the topic names; -1 when it names none. */
export function partitionIn(subject: string, topic: string): number {
  if (subject.charCodeAt(topic.length) !== dot || !subject.startsWith(topic)) return -1;
  let partition = 0;
  let at = topic.length + 1;
  for (; at < subject.length; at++) {
    const digit = subject.charCodeAt(at) - zero;
    if (digit < 0 || digit > 9) break;
    partition = partition * 10 + digit;
  }
  return at > topic.length + 1 && subject.charCodeAt(at) === dot ? partition : -1;
}

const dot = ".".charCodeAt(0);
const zero = "0".charCodeAt(0);
