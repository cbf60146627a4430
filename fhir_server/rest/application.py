"""Flask, without what a server of one host and of plain functions pays for in every request."""

from collections.abc import Callable
from typing import Any

import flask
from werkzeug.routing import MapAdapter


class Application(flask.Flask):
    """A Flask application whose routes know no host name and whose views are no coroutines."""

    def create_url_adapter(self, request: flask.Request | None) -> MapAdapter | None:
        if request is None:
            return None
        return self.url_map.bind(
            "localhost", url_scheme=request.scheme, default_method=request.method, path_info=request.path)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func
