export { available, transitions, type Demand, type Reservation, type ReservationStatus, type Stock } from "./rules.ts";
export { adjustment, inventory, reservation, stock, type InventoryOptions } from "./service.ts";
