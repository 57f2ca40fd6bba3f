"""The browser of the tests, proved before anything is proved with it."""
import http.server
import threading
import unittest

from browser import Browser

CALL = """async (offer) => {
  window.connection = new RTCPeerConnection();
  const stream = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
  for (const track of stream.getTracks()) connection.addTrack(track, stream);
  const line = connection.getTransceivers()[0];
  window.heard = new MediaStream([line.receiver.track]);
  const player = new Audio();
  player.srcObject = window.heard;
  player.play();
  if (offer) await connection.setRemoteDescription({type: 'offer', sdp: offer});
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete') await new Promise((r) => setTimeout(r, 5));
  return connection.localDescription.sdp;
}"""




class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>blank</title>")

    def log_message(self, *_):
        pass


class Chromium(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # A page of this machine counts as secure, one of no server does not: only the former has a microphone.
        cls.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Blank)
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)
        cls.url = f"http://127.0.0.1:{cls.server.server_address[1]}/"

    def test_two_of_them_hear_each_other_and_each_tone_is_told_from_the_other(self):
        with Browser(tone=440) as low, Browser(tone=880) as high:
            a, b = low.open(self.url), high.open(self.url)
            offer = a.evaluate(CALL)
            answer = b.evaluate(CALL, offer)
            a.evaluate("(sdp) => connection.setRemoteDescription({type: 'answer', sdp})", answer)
            for page, hz in ((a, 880), (b, 440)):
                page.hears(hz, stream="window.heard")
            with self.assertRaisesRegex(AssertionError, "440 Hz was to be heard, but 8[78]"):
                a.hears(440, seconds=2, stream="window.heard")

    def test_a_page_without_sound_hears_nothing(self):
        with Browser() as browser:
            page = browser.open("about:blank")
            hz, level = page.loudest(stream="new AudioContext().createMediaStreamDestination().stream")
            self.assertLess(level, -100)

    def test_what_a_policy_refuses_and_what_a_console_says_is_known(self):
        with Browser() as browser:
            page = browser.open("data:text/html,<meta http-equiv=Content-Security-Policy content=\"default-src 'none'\">"
                                "<p style='color:red'>x</p>")
            page.wait("() => window.__violations.length > 0")
            self.assertIn("style-src", page.violations()[0])
            self.assertTrue(page.told())


if __name__ == "__main__":
    unittest.main()
