export { afterTime, allOrders, entryOf, inNeed, ordersOf, type ListEntry, type NeedName } from "./lists.ts";
export { listed, listing } from "./service.ts";
