"""The only wiring: settings → Context → Flask application."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from importlib import import_module

import flask

from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.definitions import registry
from fhir_server.parameters import Parameters
from fhir_server.rest import api, guard
from fhir_server.rest.application import Application
from fhir_server.rest.routes import INTERACTIONS, dispatch, resolver
from fhir_server.search import definition
from fhir_server.search.index import Index
from fhir_server.store import embedded
from fhir_server.store.store import Store
from fhir_server.validation.structure import Validator

CHECKS = {"SearchParameter": definition.check}
BLUEPRINTS = ("fhir_server.web.status:blueprint", "adapters.http:blueprint")


@contextmanager
def open_context(config: Config) -> Iterator[Context]:
    """Gives a Context on MONGODB_URI or on the embedded database, which it starts or joins. Raises StoreError."""
    with ExitStack() as stack:
        uri = config.mongodb_uri or stack.enter_context(embedded.running(config.data_dir, config.cache_gb))
        store = stack.enter_context(Store(uri, config.database, examine_limit=config.examine_limit))
        store.prepare(demo=config.demo)
        yield context(config, store)


def context(config: Config, store: Store) -> Context:
    """Returns the Context of a running server: real clock, random ids."""
    definitions = registry.load().with_text(config.text)
    return Context(
        config=config,
        definitions=definitions,
        store=store,
        validator=Validator(definitions),
        index=Index(definitions),
        now=lambda: datetime.now(UTC),
        new_id=lambda: str(uuid.uuid4()),
        page_key=store.key(),
        interactions=tuple(INTERACTIONS),
        resolve=resolver(definitions),
        dispatch=dispatch,
        parameters=Parameters(store, definitions),
        checks=CHECKS,
    )


def create_app(surroundings: Context) -> flask.Flask:
    """Returns the application: the FHIR API under /fhir and the pages for people."""
    app = Application("fhir_server", static_folder=None)
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = surroundings.config.request_limit
    app.extensions["kakehashi"] = surroundings
    guard.install(app, surroundings.config)
    app.register_blueprint(api.blueprint(surroundings), url_prefix="/fhir")
    for name in BLUEPRINTS:
        module, _, attribute = name.partition(":")
        app.register_blueprint(getattr(import_module(module), attribute)(surroundings))
    return app
