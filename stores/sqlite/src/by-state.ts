import type { StateKey } from "@waybill/messaging";

/** Values by service, kind and id of a state. Nested, so that looking one up makes no name of the three. */
export class ByState<T> {
  readonly services = new Map<string, Map<string, Map<string, T>>>();
  size = 0;

  get(service: string, key: StateKey): T | undefined {
    return this.services.get(service)?.get(key.kind)?.get(key.id);
  }

  set(service: string, { kind, id }: StateKey, value: T): void {
    let kinds = this.services.get(service);
    if (kinds === undefined) this.services.set(service, (kinds = new Map<string, Map<string, T>>()));
    let ids = kinds.get(kind);
    if (ids === undefined) kinds.set(kind, (ids = new Map<string, T>()));
    const before = ids.size;
    ids.set(id, value);
    this.size += ids.size - before;
  }
}
