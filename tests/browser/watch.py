"""Keep the pages of a test to this machine, and write down what they do wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import (
        BrowserContext,
        ConsoleMessage,
        Page,
        Request,
        Route,
        WebError,
        WebSocket,
    )

HERE = r"((https?|wss?)://(127\.0\.0\.1|localhost)(:\d+)?/|(data|blob|file|about|chrome-error):)"
ELSEWHERE = re.compile(f"^(?!{HERE})")
HARMLESS = (
    # Both hosts ask whether language servers are there, and the browser reports the answer.
    re.compile(r"404 .*/lsp/status"),
    # Notebook 7, on start, looks up the settings of a plugin that it leaves out.
    re.compile(r"Cannot read properties of undefined \(reading 'schema'\)"),
)


class Watch:
    """What the pages of one browser context asked of other hosts, and their errors.

    Attributes
    ----------
    context
        The browser context.
    requests
        Addresses on other hosts that were asked for; none of them was reached.
    errors
        Errors on the console and exceptions that nothing caught, each with its address. A test that
        provokes one removes it from the list.
    """

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.requests: list[str] = []
        self.errors: list[str] = []
        # Patterns, because a Python predicate would stall every request while the test waits.
        context.route(ELSEWHERE, self._refuse)
        context.route_web_socket(ELSEWHERE, lambda socket: socket.close())
        context.on("request", self._on_request)
        context.on("page", self._on_page)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def _refuse(self, route: Route) -> None:
        route.abort()

    def _on_request(self, request: Request) -> None:
        self._note_address(request.url)

    def _on_page(self, page: Page) -> None:
        page.on("websocket", self._on_socket)

    def _on_socket(self, socket: WebSocket) -> None:
        self._note_address(socket.url)

    def _note_address(self, url: str) -> None:
        if ELSEWHERE.match(url):
            self.requests.append(url)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note_error(f"{message.text} {message.location['url']}".rstrip())

    def _on_error(self, error: WebError) -> None:
        self._note_error(str(error.error))

    def _note_error(self, text: str) -> None:
        if not any(noise.search(text) for noise in HARMLESS):
            self.errors.append(text)
