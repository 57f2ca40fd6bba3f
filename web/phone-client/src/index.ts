export { Api, type Login, Refusal } from "./api.js";
export { Call, type CallState } from "./call.js";
export type { ConnectionState } from "./connection.js";
export { LiveStream } from "./live.js";
export { MicrophoneError } from "./microphone.js";
export { Phone, type PhoneEvents, type PhoneOptions } from "./phone.js";
export type { Level, Quality } from "./quality.js";
export { selfTest, type SelfTestOptions, type Step } from "./selftest.js";
export type { CallerInfo, CallView, Figures, Message, Push, Session } from "./wire.js";
