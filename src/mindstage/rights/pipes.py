"""A bounded pipe between two threads: one makes an archive's bytes, the other packs, seals and writes them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

DEPTH = 4


class ReaderLeft(Exception):
    """Nobody reads on: the writing side has failed, and says why itself."""


class Pipe[T]:
    """What is put at one end comes out at the other, in order; whoever is faster waits."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._change = threading.Condition()
        self._ended = self._left = False
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        """Raises ReaderLeft."""
        with self._change:
            self._change.wait_for(lambda: self._left or len(self._items) < DEPTH)
            if self._left:
                raise ReaderLeft
            self._items.append(item)
            self._change.notify_all()

    def finish(self, error: BaseException | None = None) -> None:
        """Nothing more comes; with `error`, the reader is told that what came is not whole."""
        with self._change:
            self._ended, self._error = True, error
            self._change.notify_all()

    def leave(self) -> None:
        with self._change:
            self._left = True
            self._change.notify_all()

    def __iter__(self) -> Iterator[T]:
        try:
            while True:
                with self._change:
                    self._change.wait_for(lambda: self._ended or self._items)
                    if not self._items:
                        if self._error is not None:
                            raise self._error
                        return
                    item = self._items.popleft()
                    self._change.notify_all()
                yield item
        finally:
            self.leave()


def feed[T](items: Iterable[T], into: Callable[[Iterator[T]], Any]) -> None:
    """Make `items` in this thread while `into` uses them up in another. Raises what either raises."""
    pipe: Pipe[T] = Pipe()
    failed: list[BaseException] = []

    def use() -> None:
        try:
            into(iter(pipe))
        except BaseException as error:
            failed.append(error)
        finally:
            pipe.leave()

    thread = threading.Thread(target=use, name="export", daemon=True)
    thread.start()
    try:
        for item in items:
            pipe.put(item)
        pipe.finish()
    except ReaderLeft:
        pass
    except BaseException as error:
        pipe.finish(error)
        thread.join()
        raise
    thread.join()
    if failed:
        raise failed[0]


def through(parts: Iterator[bytes], transform: Callable[[Any, Any], Any]) -> Iterator[bytes]:
    """The bytes that `transform(reader, writer)` writes while it reads `parts`."""
    pipe: Pipe[bytes] = Pipe()

    def run() -> None:
        try:
            transform(_Reader(parts), _Writer(pipe))
            pipe.finish()
        except BaseException as error:
            pipe.finish(error)

    thread = threading.Thread(target=run, name="export encryption", daemon=True)
    thread.start()
    yield from pipe
    thread.join()


class _Reader:
    """Bytes that come in pieces, as a file to read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            piece = next(self._parts, None)
            if piece is None:
                return b""
            self._rest = piece
        size = len(self._rest) if size < 0 else size
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


class _Writer:
    """A file to write that hands its bytes on."""

    def __init__(self, pipe: Pipe[bytes]) -> None:
        self._pipe = pipe

    def write(self, piece: bytes) -> int:
        self._pipe.put(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""
