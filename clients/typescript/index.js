export { Control, ControlError, ControlProject } from "./control.js";
export { FeedbackMock, Sandbox } from "./mock.js";
