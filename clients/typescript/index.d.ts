export * from "./control.js";
export * from "./mock.js";
