// A page that is a telephone by SIP.js (RFC 7118); tests/interop/sip_page.py serves it and presses its keys.
import { SessionState, Web } from "/sip.js/index.js";

let manager;
let current = null;

function follow(session) {
  current = session;
  window.states = [];
  session.stateChange.addListener((state) => window.states.push(state));
}

window.sip = {
  async start({ server, domain, number, password }) {
    manager = new Web.SessionManager(server, {
      aor: `sip:${number}@${domain}`,
      userAgentOptions: { authorizationUsername: number, authorizationPassword: password, logLevel: "warn" },
      media: { constraints: { audio: true, video: false }, remote: { audio: document.querySelector("audio") } },
      delegate: { onCallReceived: follow, onRegistered: () => (window.registered = true), onUnregistered: () => (window.registered = false) },
    });
    await manager.connect();
    await manager.register();
  },
  stop: () => manager.unregister(),
  ringing: () => current?.state === SessionState.Initial,
  answer: () => manager.answer(current),
  async call(target) {
    follow(await manager.call(target));
  },
  hold: () => manager.hold(current),
  resume: () => manager.unhold(current),
  transfer: (target) => manager.transfer(current, target),
  hangUp: () => manager.hangup(current),
  up: () => current?.state === SessionState.Established,
  over: () => current?.state === SessionState.Terminated,
};
window.ready = true;
