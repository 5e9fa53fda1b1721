import { WaybillError } from "@waybill/messaging";

/** Whether something is still open, and who wants to know when it no longer is. */
export function lifetime() {
  let closed = false;
  const listeners: (() => void)[] = [];
  return {
    check(): void {
      if (closed) throw closedError();
    },
    /** False when it was closed before. */
    close(): boolean {
      if (closed) return false;
      closed = true;
      for (const listener of listeners) listener();
      return true;
    },
    onClose(listener: () => void): void {
      listeners.push(listener);
    },
  };
}

export function closedError(): WaybillError {
  return new WaybillError("CLOSED", "The file is closed.");
}
