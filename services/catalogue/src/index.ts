export { put, type Product } from "./rules.ts";
export { catalogue, product } from "./service.ts";
