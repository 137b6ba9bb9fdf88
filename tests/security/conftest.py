from tests.api.conftest import app, client, database, finder, gazetteer, service

__all__ = ["app", "client", "database", "finder", "gazetteer", "service"]
