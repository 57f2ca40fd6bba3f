"""A receiver of webhooks for tests: keeps what it gets, answers as told; and the operators' HTTP over the socket."""
import http.client
import http.server
import json
import socket
import threading

from office import free_ports, wait_until


class Operator(http.client.HTTPConnection):
    """HTTP over the control socket of a running office."""

    def __init__(self, office):
        super().__init__("localhost", timeout=300)
        self.path = str(office.data / "bellwire.sock")

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(300)
        self.sock.connect(self.path)


def api(office, method, path, body=None):
    """Status and JSON of the answer."""
    connection = Operator(office)
    try:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"null")
    finally:
        connection.close()


def ok(office, method, path, body=None):
    status, answer = api(office, method, path, body)
    assert status == 200, (status, answer)
    return answer


class Delivery:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.raw = path, headers, body
        self.body = json.loads(body)

    def __getattr__(self, name):
        return self.body[name]


class Receiver:
    """`answer`: a status, or a function of the delivery that gives one (None: the connection is reset)."""

    def __init__(self, answer=200, port=None, host="127.0.0.1"):
        # Of those that nobody else is given, also while it is closed: who returns finds its port, and no stranger there.
        port = port or free_ports(1)[0]
        self.answer = answer
        self.deliveries = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one packet for head and body

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                delivery = Delivery(self.path, dict(self.headers.items()), body)
                with outer.lock:
                    outer.deliveries.append(delivery)
                answer = outer.answer(delivery) if callable(outer.answer) else outer.answer
                if answer is None:
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, text = answer if isinstance(answer, tuple) else (answer, {}, "thank you")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:
                    pass

            def finish(self):
                try:
                    super().finish()
                except (OSError, ValueError):
                    pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_):
                pass

        self.server = Server((host, port), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.port}{path}"

    def got(self, type=None):
        with self.lock:
            return [d for d in self.deliveries if type is None or d.event_type == type]

    def wait_for(self, count, type=None, seconds=120):
        return wait_until(lambda: len(self.got(type)) >= count and self.got(type), seconds,
                          f"{count} deliveries of {type or 'any type'}")
