export { journey, type HistoryEntry, type Journey } from "./history.ts";
export { transitions, type Order, type OrderLine, type OrderStatus, type PricedLine, type Product } from "./order.ts";
export { order, orders, paymentDeadline, product, type OrdersOptions } from "./service.ts";
