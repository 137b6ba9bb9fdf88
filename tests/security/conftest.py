from tests.api.conftest import app, client, database, finder, gazetteer

__all__ = ["app", "client", "database", "finder", "gazetteer"]
