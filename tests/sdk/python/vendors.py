"""Fake vendors for the tests: one server that speaks every dialect as strictly as the vendor does.

What to say is told by marks in the last text of a user: `[fail:429]` answers that status,
`[in:120]`, `[cached:80]`, `[out:9]`, `[thought:5]` are the tokens it tells, `[cut]` ends at the
maximum, `[think]` shows a thought. With tools the first one is called, or as many as `[calls:2]`
says, until a result comes back; with a schema a value of it is answered. `[break]` ends a stream in
its midst with the vendor's own error, `[sever]` with nothing; `[crlf]` ends its lines as HTTP does,
`[zeros]` counts nothing. All a fake was asked is kept for the tests to look at.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, islice

SECRET = "vendor-secret-0123456789"
RETRY_AFTER = 7  # seconds that each 429 names
THOUGHT = "The moon pulls the water."


class Refused(Exception):
    """The vendor's own no."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def must(holds, message):
    if not holds:
        raise Refused(400, message)


def only(given, allowed, where="the request"):
    must(isinstance(given, dict), f"{where} must be an object")
    unknown = sorted(set(given) - set(allowed))
    must(not unknown, f"Extra inputs are not permitted: {', '.join(unknown)} in {where}")


@dataclass
class Asked:
    """A request in words that all dialects share."""

    model: str
    stream: bool
    texts: list  # of users, in order
    system: str = ""
    tools: list = field(default_factory=list)  # of (name, schema)
    must_call: bool = False
    results: list = field(default_factory=list)  # texts, where they are the last thing said
    schema: dict | None = None
    images: int = 0
    maximum: int | None = None
    vectors: int | None = None  # how many numbers each vector is to have, where vectors are asked for
    single: bool = False  # whether it is one vector that is not in a list
    packed: bool = False  # whether vectors are to come in base64
    documents: list | None = None  # to be ranked by the last text
    top: int | None = None  # how many of them

    @property
    def marks(self):
        return dict(re.findall(r"\[(\w+):?(\d*)\]", self.texts[-1] if self.texts else ""))


@dataclass
class Said:
    """An answer in words that all dialects share."""

    text: str = ""
    calls: list = field(default_factory=list)  # of (id, name, arguments)
    thought: str = ""
    cut: bool = False
    input: int = 0  # cached ones among them
    cached: int = 0
    output: int = 0  # thoughts among them
    thoughts: int = 0

    @property
    def pieces(self):
        return re.findall(r"\S+\s*|\s+", self.text)


def value_of(schema, root=None, name="value"):
    """Some value of a JSON schema, as models with structured output answer."""
    root = root or schema
    if "$ref" in schema:
        found = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return value_of(found, root, name)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return value_of(schema[several][0], root, name)
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "object")
    kind = (kind[0] if isinstance(kind, list) else kind).lower()
    if kind == "object":
        inside = schema.get("properties", {})
        return {key: value_of(one, root, key) for key, one in inside.items()}
    if kind == "array":
        return [value_of(schema.get("items", {"type": "string"}), root, name)]
    return {"integer": 7, "number": 1.5, "boolean": True, "null": None}.get(kind, f"a {name}")


_numbers = count(1)


def reply(asked, call):
    """What every fake answers. Ids of calls begin as the vendor's own do, and none comes twice."""
    marks = asked.marks
    if marks.get("fail"):
        raise Refused(int(marks["fail"]), "asked for by the prompt")
    number = lambda name, otherwise: int(marks.get(name) or otherwise)  # noqa: E731
    said = Said(
        input=number("in", 120),
        cached=number("cached", 0),
        output=number("out", 30),
        thoughts=number("thought", 0),
        cut="cut" in marks,
        thought=THOUGHT if "think" in marks else "",
    )
    if "zeros" in marks:
        said.input = said.cached = said.output = said.thoughts = 0
    if asked.tools and (not asked.results or asked.must_call):
        for at in range(number("calls", 1)):
            name, schema = asked.tools[at % len(asked.tools)]
            said.calls.append(
                (f"{call}{next(_numbers)}", name, value_of(schema or {"type": "object"}))
            )
    elif asked.schema is not None:
        said.text = json.dumps(value_of(asked.schema))
    elif asked.results:
        said.text = f"The tools said: {' and '.join(asked.results)}."
    else:
        seen = f" I see {asked.images} image." if asked.images else ""
        told = f" You told me: {asked.system}" if asked.system else ""
        said.text = f"Tides follow the moon, “naïvely” 🌊.{seen}{told}"
    return said


def vector(text, length):
    """The vector of a text: half numbers that float32 has exactly, the first by the text's length."""
    return [len(text) / 2, *[-0.25] * (length - 1)]


def ranks(asked):
    """The places of documents, best first: by the words of the query that each has."""
    wanted = set(re.findall(r"\w+", asked.texts[-1].lower()))

    def score(text):
        return len(wanted & set(re.findall(r"\w+", text.lower()))) / len(wanted)

    scored = [(index, score(text)) for index, text in enumerate(asked.documents)]
    return sorted(scored, key=lambda one: -one[1])[: asked.top]


def event(data, name=None):
    """One server-sent event."""
    head = f"event: {name}\n" if name else ""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"{head}data: {text}\n\n".encode()


BEGUN = 6  # events of a stream before it breaks


def broken(vendor, events):
    """The first events, then an error."""
    yield from islice(events, BEGUN)
    yield vendor.error_event(529, "asked for by the prompt")


def misbehaving(vendor, events, marks):
    """A stream as bad as the marks say."""
    if "break" in marks:
        return broken(vendor, events)
    if "sever" in marks:
        return islice(events, BEGUN)
    if "crlf" in marks and not hasattr(vendor, "content_type"):
        return (re.sub(rb"\r?\n", rb"\r\n", data) for data in events)
    return events


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer(200, {"object": "list", "data": [], "models": []})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        dialect, _, path = self.path.lstrip("/").partition("/")
        vendor = self.server.vendors[dialect]
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            if check := getattr(vendor, "check", None):
                check(self.command, self.path, headers, body)
            request = json.loads(body)
            asked = vendor.read(path, headers, request)
            self.server.seen.append((asked, request))
            said = reply(asked, vendor.calls)
            if asked.stream:
                events = vendor.stream(asked, said)
                kind = getattr(vendor, "content_type", "text/event-stream")
                self._stream(kind, misbehaving(vendor, events, asked.marks))
            else:
                self._answer(200, vendor.whole(asked, said))
        except Refused as refused:
            self.server.refusals.append(f"{dialect} {refused.status}: {refused.message}")
            more = getattr(vendor, "error_headers", lambda _: {})(refused.status)
            if refused.status == 429:
                more = {**more, "retry-after": str(RETRY_AFTER)}
            self._answer(refused.status, vendor.error(refused.status, refused.message), more)
        except Exception as error:
            self.server.refusals.append(f"{dialect} broke: {error!r}")
            raise

    def _answer(self, status, body, headers=None):
        data = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, kind, events):
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for data in events:
            # In the middle of a letter, if it comes so.
            half = len(data) // 2
            for part in (data[:half], data[half:]):
                self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


class Vendors(ThreadingHTTPServer):
    """All of them on one port; a vendor's base URL begins with its dialect."""

    daemon_threads = True

    def __init__(self, vendors):
        super().__init__(("127.0.0.1", 0), Handler)
        self.vendors = vendors
        self.seen = []
        self.refusals = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def base_url(self, dialect):
        version = self.vendors[dialect].version
        return f"http://127.0.0.1:{self.server_address[1]}/{dialect}/{version}"

    def handle_error(self, request, client_address):
        """A client that goes away is no news; what broke stands among the refusals."""
