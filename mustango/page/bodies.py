"""What is sent to the page: read in time, counted as it comes, never more than was said."""

import asyncio
import time

GAP_S = 20.0  # seconds; the longest pause of a sender
SLOWEST = 4096  # bytes a second, after GAP_S
CHUNK = 2**14  # bytes that are passed on at once
MAX_PARTS = 40  # of a form
PART = b"content-disposition"  # begins one


class Refused(Exception):
    """A request that is answered by (status, reason) instead."""

    def __init__(self, status: int, reason: str):
        super().__init__(reason)
        self.status, self.reason = status, reason


class Body:
    """The body of a request, as ASGI's `receive` gives it. length: what its header says."""

    def __init__(self, receive, length: int):
        self._receive, self._length = receive, length
        self._began, self._came = time.monotonic(), 0
        self.over = not length

    async def receive(self):
        """Return the next message. Raises Refused for a body that comes too slowly or is longer than was said."""
        if self.over:
            return await self._receive()
        slowest_s = GAP_S + self._length / SLOWEST
        left_s = min(GAP_S, self._began + slowest_s - time.monotonic())
        try:
            message = await asyncio.wait_for(self._receive(), left_s)
        except TimeoutError:
            raise Refused(408, "what you send came too slowly") from None
        self._came += len(message.get("body", b""))
        self.over = message["type"] != "http.request" or not message.get("more_body", False)
        if self._came > self._length:
            raise Refused(413, "more came than was said")
        return message

    async def whole(self) -> bytes:
        """Return all of it; a sender who has gone ends it."""
        parts = []
        while not self.over:
            parts.append((await self.receive()).get("body", b""))
        return b"".join(parts)

    async def drain(self, most: int) -> None:
        """Read on for so many bytes, so that the sender comes to read the answer."""
        most += self._came
        while not self.over and self._came < most:
            await self.receive()


class Upload:
    """`receive` of an upload: what has come counts at once against the sender's room, what was promised does not."""

    def __init__(self, body: Body, files, who):
        self._body, self._files, self._who = body, files, who
        self._parts, self._tail = 0, b""

    async def receive(self):
        """Return the next message. Raises Refused where there is no room for it, or where it has too many parts."""
        message = await self._body.receive()
        data = message.get("body", b"")
        while message["type"] == "http.request" and not self._body.over and len(data) < CHUNK:  # Gradio takes note of each
            message = await self._body.receive()
            data += message.get("body", b"")
        if message["type"] == "http.request":
            message = message | {"body": data}
        seen = (self._tail + data).lower()
        before = self._parts
        self._parts += seen.count(PART)
        self._tail = seen[-len(PART) + 1 :]
        if self._parts > MAX_PARTS:
            raise Refused(413, f"too many files at once; at most {MAX_PARTS}")
        if not self._files.room.take(self._who.address, len(data)):
            raise Refused(507, "this server holds too many files now; try again later")
        if self._parts > before and not self._files.number.take(self._who.address, self._parts - before):
            raise Refused(507, "this server holds too many files now; try again later")
        return message


def given_again(data: bytes, receive):
    """Return a `receive` that gives a body that was read already, then goes on."""
    messages = [{"type": "http.request", "body": data, "more_body": False}]

    async def again():
        return messages.pop() if messages else await receive()

    return again
